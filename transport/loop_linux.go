package transport

import (
	"container/heap"
	"math"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// loop is the reader of many connections, on one goroutine: it takes those that have something to read from an
// epoll instance of its own, and runs each to its answers.
//
// A goroutine for each connection costs more than the reading of a message: the runtime's poller finds it, a
// processor is woken to run it, it reads once more to be told that there is nothing, and what a Handler needs of
// stack stays with it. Here one message or many take one wake-up, and a connection that is silent has neither
// goroutine nor stack. The loop waits in epoll_wait, on a thread of its own, and brings a processor (GOMAXPROCS)
// along, both for the reasons of [awaited].
//
// The loop's goroutine owns the connections from take to leave. The lock is for the lists of them; it is taken
// after a connection's.
type loop struct {
	t    *Transport
	fd   int // the epoll instance
	bell int // an eventfd in it: see ring

	events  [loopEvents]unix.EpollEvent
	ready   [loopEvents]*conn
	outs    []*Out // the answers of the batch, by connection
	open    int    // messages of the batch, less what was sent
	yielded time.Duration

	mu      sync.Mutex
	conns   []*conn // by slot; nil: it is free
	free    []int32 // slots
	due     deadlines
	until   time.Duration // when the loop stops waiting if nothing comes; 0 while it does not wait
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
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	l := &loop{t: t, fd: fd, bell: bell}
	if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, bell, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: ofBell}); err != nil {
		l.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return l, nil
}

// ofBell is in the place of a slot in what the bell has to tell.
const ofBell = -1

// serve reads until the transport stops.
func (l *loop) serve() {
	addProcessors(1)
	defer addProcessors(-1)
	for !l.t.stopping.Load() {
		l.batch(l.wait())
		l.expire()
		l.yield()
	}
	l.finish()
}

// yield lets others run as [awaited] does: now and then, and when they have been given something to do, as the journal
// by a registration.
func (l *loop) yield() {
	if now := l.t.now(); l.open > 0 || now-l.yielded > yieldEvery {
		l.yielded = now
		runtime.Gosched()
	}
}

// wait waits until a connection has something to read or a deadline is over, and returns how many have.
func (l *loop) wait() int {
	l.mu.Lock()
	patience := l.patience()
	l.mu.Unlock()
	n, _ := unix.EpollWait(l.fd, l.events[:], patience) // the only error that can be is EINTR: nothing has come
	n = max(n, 0)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = 0
	for i := range l.events[:n] {
		if slot := l.events[i].Fd; slot == ofBell {
			_, _ = unix.Read(l.bell, make([]byte, 8))
		} else {
			l.ready[i] = l.conns[slot]
		}
	}
	return n
}

// patience is how many milliseconds the loop may wait, -1 if there is no end, and notes until when that is; l.mu is
// held.
func (l *loop) patience() int {
	switch {
	case l.stopped:
		return 0
	case len(l.due) == 0:
		l.until = math.MaxInt64
		return -1
	}
	l.until = l.due[0].armed
	left := l.until - l.t.now()
	return int(min(max(left+time.Millisecond-1, 0)/time.Millisecond, math.MaxInt32))
}

// ring ends the loop's waiting; l.mu is held.
func (l *loop) ring() {
	one := [8]byte{1} // or 1<<56
	_, _ = unix.Write(l.bell, one[:])
}

// batch runs n connections that have something to read to their answers.
func (l *loop) batch(n int) {
	l.open = 0
	for i, c := range l.ready[:n] {
		if c == nil {
			continue // the bell
		}
		events := l.events[i].Events
		if events&unix.EPOLLOUT != 0 {
			l.watch(c, arrival)
		}
		if why := c.ready(events&(unix.EPOLLHUP|unix.EPOLLERR) != 0); why != noCounter {
			l.flush() // before it is closed
			l.leave(c, why)
		}
	}
	clear(l.ready[:n])
	l.flush()
	l.open -= l.t.flush() // what the Handler sent elsewhere
}

// out is for the answers to c, which the loop is at.
func (l *loop) out(c *conn) *Out {
	if n := len(l.outs); n > 0 && l.outs[n-1].conn == c {
		return l.outs[n-1]
	}
	out := borrowOut(c)
	l.outs = append(l.outs, out)
	return out
}

// flush writes the answers: at the end of a batch, so that those to whom they go, if they wait on one thread as we do,
// are woken once.
func (l *loop) flush() {
	for i, out := range l.outs {
		l.open += out.messages - out.answers
		out.flush()
		out.giveBack()
		l.outs[i] = nil
	}
	l.outs = l.outs[:0]
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
	if at < l.until {
		l.until = at // rung once
		l.ring()
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
	return nil
}

// stop has the goroutine find out that the transport stops.
func (l *loop) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.stopped = true
		l.ring()
	}
}

// finish gives all connections up.
func (l *loop) finish() {
	l.stop() // nothing is taken any more, and nobody rings
	for _, c := range l.conns {
		if c != nil {
			l.leave(c, closedShutdown)
		}
	}
	l.close()
}

func (l *loop) close() {
	_ = unix.Close(l.bell)
	_ = unix.Close(l.fd)
}
