package transport

import (
	"container/heap"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// loop is the reader of many connections, on one goroutine: it takes those that have something to read from an
// epoll instance of its own, and runs each to its answers.
//
// A goroutine for each connection costs more than the reading of a message: the runtime's poller finds it, a
// processor is woken to run it, it reads once more to be told that there is nothing, and what a Handler needs of
// stack stays with it. Here the runtime's poller knows the epoll instance alone, one message or many take one
// wake-up, and a connection that is silent has neither goroutine nor stack.
//
// The loop's goroutine owns the connections from take to leave. The lock is for the lists of them; it is taken
// after a connection's.
type loop struct {
	t    *Transport
	fd   int      // the epoll instance
	file *os.File // the same, as the runtime's poller knows it
	raw  syscall.RawConn
	poll func(fd uintptr) bool

	events  [loopEvents]unix.EpollEvent
	ready   [loopEvents]*conn
	yielded time.Duration

	mu      sync.Mutex
	conns   []*conn // by slot; nil: it is free
	free    []int32 // slots
	due     deadlines
	wake    time.Duration // the earliest deadline, 0 if there is none
	stopped bool
}

// interest is what a loop wants to be told of a connection; that it broke is told always.
type interest uint32

const (
	nothing interest = 0
	arrival interest = unix.EPOLLIN
	atOnce  interest = unix.EPOLLIN | unix.EPOLLOUT // once, as soon as can be: TLS may hold bytes that came before
)

// newLoops makes a loop for each processor but one, which is left to the rest, or none if the system has no room for them.
func (t *Transport) newLoops() []*loop {
	all := make([]*loop, max(1, t.processors-1))
	for i := range all {
		l, err := newLoop(t)
		if err != nil {
			t.log.Warn("each connection is read by a goroutine of its own", "error", err)
			return all[:i]
		}
		all[i] = l
	}
	return all
}

func newLoop(t *Transport) (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	_ = unix.SetNonblock(fd, true) // NewFile gives the poller no other
	l := &loop{t: t, fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if l.raw, err = l.file.SyscallConn(); err == nil {
		err = l.file.SetReadDeadline(time.Time{}) // fails if the poller does not know it
	}
	if err != nil {
		_ = l.file.Close()
		return nil, err
	}
	l.poll = l.pollFD
	return l, nil
}

// serve reads until the transport stops.
func (l *loop) serve() {
	for !l.t.stopping.Load() {
		_ = l.raw.Read(l.poll) // an error is the deadline
		l.expire()
	}
	l.finish()
}

// pollFD runs what is ready; false means that nothing is, and that the goroutine waits.
func (l *loop) pollFD(uintptr) bool {
	for {
		now := l.t.now()
		if l.t.stopping.Load() || l.late(now) {
			return true
		}
		n, err := unix.EpollWait(l.fd, l.events[:], 0)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return false
		}
		l.batch(n)
		if now-l.yielded > yieldEvery {
			l.yielded = now
			runtime.Gosched() // as awaited.read does
		}
	}
}

// late reports whether a deadline has passed.
func (l *loop) late(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wake != 0 && l.wake <= now
}

// batch runs n connections that have something to read to their answers.
func (l *loop) batch(n int) {
	l.mu.Lock()
	for i := range l.events[:n] {
		l.ready[i] = l.conns[l.events[i].Fd]
	}
	l.mu.Unlock()
	for i, c := range l.ready[:n] {
		events := l.events[i].Events
		if events&unix.EPOLLOUT != 0 {
			l.watch(c, arrival)
		}
		if why := c.ready(events&(unix.EPOLLHUP|unix.EPOLLERR) != 0); why != noCounter {
			l.leave(c, why)
		}
	}
	clear(l.ready[:n])
	l.t.Flush() // what the Handler sent elsewhere
}

// take has the loop read a connection from now on; false means that it cannot.
func (l *loop) take(c *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	nc, ok := c.wire.Conn.(*net.TCPConn)
	if !ok || l.stopped || c.uncounted || c.drained != nil {
		return false
	}
	s, err := newWatched(nc)
	if err != nil {
		return false
	}
	slot := l.slot()
	first := arrival
	if c.tls != nil {
		first = atOnce
	}
	if err := unix.EpollCtl(l.fd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: uint32(first), Fd: slot}); err != nil {
		l.free = append(l.free, slot)
		s.close()
		return false
	}
	l.conns[slot] = c
	c.loop, c.slot, c.turn = l, slot, -1
	c.wire.watched.Store(s)
	_ = nc.Close() // it leaves the runtime's poller; the connection stays
	if c.why.Load() != 0 {
		s.cut() // who cut it may have met the socket of before
	}
	at, _ := c.due()
	l.set(c, at)
	l.t.readers.Done() // the loop is the reader
	return true
}

// slot returns a free one; l.mu is held.
func (l *loop) slot() int32 {
	if last := len(l.free) - 1; last >= 0 {
		slot := l.free[last]
		l.free = l.free[:last]
		return slot
	}
	l.conns = append(l.conns, nil)
	return int32(len(l.conns) - 1)
}

// leave gives a connection up, for it to be ended by a goroutine that may wait for the peer.
func (l *loop) leave(c *conn, why counter) {
	l.mu.Lock()
	_ = unix.EpollCtl(l.fd, unix.EPOLL_CTL_DEL, c.wire.watched.Load().fd, nil)
	l.conns[c.slot] = nil
	l.free = append(l.free, c.slot)
	c.slot = -1
	if c.turn >= 0 {
		heap.Remove(&l.due, c.turn)
	}
	l.mu.Unlock()
	go func() {
		c.finish(why)
		l.t.all.Done()
	}()
}

// watch changes what the loop is told of a connection, if it still has it.
func (l *loop) watch(c *conn, what interest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.slot >= 0 {
		_ = unix.EpollCtl(l.fd, unix.EPOLL_CTL_MOD, c.wire.watched.Load().fd, &unix.EpollEvent{Events: uint32(what), Fd: c.slot})
	}
}

// arm has the loop look at a connection's deadlines at a time.
func (l *loop) arm(c *conn, at time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(c, at)
}

// set is arm; l.mu is held. A goroutine that would wake too early is left to: see conn.arm.
func (l *loop) set(c *conn, at time.Duration) {
	if c.armed = at; c.turn < 0 {
		heap.Push(&l.due, c)
	} else {
		heap.Fix(&l.due, c.turn)
	}
	if l.wake == 0 || at < l.wake {
		l.wake = at
		l.alarm()
	}
}

// alarm sets when the goroutine stops waiting; l.mu is held.
func (l *loop) alarm() {
	switch {
	case l.stopped:
		_ = l.file.SetReadDeadline(past)
	case l.wake == 0:
		_ = l.file.SetReadDeadline(time.Time{})
	default:
		_ = l.file.SetReadDeadline(l.t.epoch.Add(l.wake))
	}
}

// expire closes the connections whose time is over.
func (l *loop) expire() {
	for c := l.overdue(); c != nil; c = l.overdue() {
		if at, why := c.due(); l.t.now() >= at {
			l.leave(c, why)
		} else {
			c.arm() // the deadline had moved away
		}
	}
}

// overdue returns a connection whose deadline has passed, nil after the last.
func (l *loop) overdue() *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.due) > 0 && l.due[0].armed <= l.t.now() {
		c := heap.Pop(&l.due).(*conn)
		c.armed = 0
		return c
	}
	l.wake = 0
	if len(l.due) > 0 {
		l.wake = l.due[0].armed
	}
	l.alarm()
	return nil
}

// stop has the goroutine find out that the transport stops.
func (l *loop) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.alarm()
}

// finish gives all connections up.
func (l *loop) finish() {
	l.stop() // nothing is taken any more
	for _, c := range l.conns {
		if c != nil {
			l.leave(c, closedShutdown)
		}
	}
	_ = l.file.Close()
}
