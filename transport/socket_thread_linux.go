package transport

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// descriptor is how batchIO reaches its socket. Each fn is given the file descriptor, maybe more than once:
// as long as it returns false, which means that the system has nothing for it or no room.
type descriptor interface {
	read(fn func(fd uintptr) bool) error
	write(fn func(fd uintptr) bool) error
	control(fn func(fd uintptr)) error
	yield()
	stop()
	close()
}

// polled is a socket that the runtime's poller waits for.
type polled struct {
	conn *net.UDPConn
	raw  syscall.RawConn
}

func (p *polled) read(fn func(fd uintptr) bool) error  { return p.raw.Read(fn) }
func (p *polled) write(fn func(fd uintptr) bool) error { return p.raw.Write(fn) }
func (p *polled) control(fn func(fd uintptr)) error    { return p.raw.Control(fn) }
func (p *polled) yield()                               {} // whenever it waits
func (p *polled) stop()                                { _ = p.conn.SetReadDeadline(past) }
func (p *polled) close()                               { _ = p.conn.Close() }

// awaited is a socket whose reader waits for it in the system call that reads, on a thread of its own, unknown
// to the runtime's poller.
//
// The poller costs more than the reading when messages come a few at a time: a datagram wakes the thread in
// epoll_wait, which wakes another to look for more work, and sysmon, which looks around every 20 µs for a while;
// and the reader calls once more to be told that there is nothing. Here a datagram wakes the reader, and nobody
// else: at 10,000 requests a second it saves half of the server's CPU time.
//
// While it waits it keeps its processor (GOMAXPROCS) until sysmon takes it away, after 10 ms at the most. So it
// brings one along. Otherwise, as long as all others are in use or wait in system calls too, as the journal does for
// the disk, sysmon looks around every 20 µs and takes from those that wait: a fifth of the CPU time of refreshes
// that are synced, on a machine of two cores.
type awaited struct {
	mu      sync.RWMutex // for writing: of the closing
	fd      int          // -1: closed
	stopped atomic.Bool
	closing atomic.Bool
	yielded time.Time // the reader's: when it last did
}

// newAwaited takes the socket out of c, which it closes.
func newAwaited(c *net.UDPConn, raw syscall.RawConn) (*awaited, error) {
	a := &awaited{}
	var err error
	if e := raw.Control(func(fd uintptr) { a.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	_ = c.Close() // it leaves the poller
	if err := unix.SetNonblock(a.fd, false); err != nil {
		_ = unix.Close(a.fd)
		return nil, err
	}
	addProcessors(1)
	return a, nil
}

func (a *awaited) read(fn func(fd uintptr) bool) error {
	// To sysmon a goroutine that is not scheduled anew runs all the time, however often it waits: after 10 ms it
	// takes the processor away, and looks for more to take every 20 µs for a while.
	if now := time.Now(); now.Sub(a.yielded) > yieldEvery {
		runtime.Gosched()
		a.yielded = now
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	for !a.stopped.Load() {
		if fn(uintptr(a.fd)) && !a.stopped.Load() {
			return nil
		}
	}
	return net.ErrClosed
}

func (a *awaited) write(fn func(fd uintptr) bool) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.fd < 0 {
		return net.ErrClosed
	}
	for !fn(uintptr(a.fd)) {
		if a.closing.Load() {
			return net.ErrClosed
		}
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(a.fd), Events: unix.POLLOUT}}, writeWait)
	}
	return nil
}

func (a *awaited) control(fn func(fd uintptr)) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.fd < 0 {
		return net.ErrClosed
	}
	fn(uintptr(a.fd))
	return nil
}

// yield has the next read do so: who waits in a system call does not, and on a machine of two cores it may be
// long until sysmon finds what waits for the processor, if the other one is at work.
func (a *awaited) yield() { a.yielded = time.Time{} }

// stop wakes the reader. That is all that shutdown does to a socket that is not connected, whatever error it
// tells.
func (a *awaited) stop() {
	a.stopped.Store(true)
	_ = a.control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_RD) })
}

func (a *awaited) close() {
	a.stop()
	a.closing.Store(true)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fd >= 0 {
		_ = unix.Close(a.fd)
		a.fd = -1
		addProcessors(-1)
	}
}

// addingProcessors makes one of reading and setting GOMAXPROCS.
var addingProcessors sync.Mutex

// addProcessors has the runtime use so many processors more. From then on it no longer follows a limit of the
// container's that changes.
func addProcessors(n int) {
	addingProcessors.Lock()
	defer addingProcessors.Unlock()
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + n)
}
