package bench

import (
	"container/heap"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// gang runs the workers of many connections on one goroutine, which waits in epoll_wait on a thread of its own. With a
// goroutine for each, the runtime's poller and the switches between them would cost more than the messages, and the
// tool more than the server that it measures.
type gang struct {
	run     *run
	fd      int // the epoll instance
	workers []*worker
	plain   []*plainSocket // of the workers, in their order
	alarm   []*alarm       // of the workers, nil: it has ended the stage
	alarms  alarms         // those that there are
	events  [batchSize]unix.EpollEvent
	poll    [1]unix.PollFd
}

// newGangs takes the workers of streams over: as many gangs as processors but one, which is the server's.
func (r *run) newGangs() ([]*gang, error) {
	if !r.config.Transport.Reliable() {
		return nil, nil
	}
	all := make([]*gang, min(max(1, runtime.GOMAXPROCS(0)-1), len(r.workers)))
	for i := range all {
		fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return all[:i], os.NewSyscallError("epoll_create1", err)
		}
		all[i] = &gang{run: r, fd: fd}
		all[i].poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	for i, w := range r.workers {
		plain, err := newPlainSocket(w.wire.(*stream).socket)
		if err != nil {
			return all, err
		}
		g := all[i%len(all)]
		g.workers, g.plain = append(g.workers, w), append(g.plain, plain)
	}
	return all, nil
}

func (g *gang) close() { _ = unix.Close(g.fd) }

// loop has all of the workers do a stage.
func (g *gang) loop(s *stage) {
	g.alarm = make([]*alarm, len(g.workers))
	for i, w := range g.workers {
		w.enter(s)
		if err := unix.EpollCtl(g.fd, unix.EPOLL_CTL_ADD, g.plain[i].fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
			g.run.keepError(w.abandon(err))
			continue
		}
		g.alarm[i] = &alarm{worker: i}
		heap.Push(&g.alarms, g.alarm[i])
		g.act(i, false)
	}
	for len(g.alarms) > 0 {
		for _, e := range g.events[:g.wait(s.interval > 0)] {
			g.ready(int(e.Fd))
		}
		g.expire()
	}
}

// wait waits for messages or the first alarm and returns how many connections have some. With due times it is exact to
// less than a millisecond, which costs a system call.
func (g *gang) wait(exact bool) int {
	left := max(g.alarms[0].at-g.run.clock(), 0)
	patience := int(min((left+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	if exact {
		ts := unix.NsecToTimespec(int64(left))
		_, _ = unix.Ppoll(g.poll[:], &ts, nil)
		patience = 0
	}
	n, _ := unix.EpollWait(g.fd, g.events[:], patience) // EINTR: nothing has come
	return max(n, 0)
}

// ready reads once from a connection that has something, and goes on with its worker.
func (g *gang) ready(i int) {
	w := g.workers[i]
	g.plain[i].due = true
	n, err := w.wire.(*stream).take()
	if err != nil {
		g.end(i, w.abandon(err))
		return
	}
	w.takeAll(n)
	g.act(i, false)
}

// take reads what has come, without waiting, and returns how many messages are whole.
func (s *stream) take() (int, error) {
	s.compact()
	for {
		n, err := s.conn.Read(s.in[len(s.in):cap(s.in)])
		s.in = s.in[:len(s.in)+n]
		if err == (errWait{}) {
			break
		}
		if err != nil {
			return 0, closedBy(err)
		}
		if !s.secure {
			break // more is told of once more
		}
		s.grow()
	}
	err := s.frame()
	return len(s.found), err
}

// act goes on with a worker.
func (g *gang) act(i int, quiet bool) {
	w := g.workers[i]
	ended, err := w.act(quiet)
	if ended || err != nil {
		g.end(i, err)
	} else if a := g.alarm[i]; w.wake < a.at {
		a.at = w.wake // one that is later is looked at when it is over
		heap.Fix(&g.alarms, a.place)
	}
}

// end takes a worker out of the stage.
func (g *gang) end(i int, err error) {
	g.run.keepError(err)
	_ = unix.EpollCtl(g.fd, unix.EPOLL_CTL_DEL, g.plain[i].fd, nil)
	heap.Remove(&g.alarms, g.alarm[i].place)
	g.alarm[i] = nil
}

// expire goes on with the workers to which nothing came until they were to wake.
func (g *gang) expire() {
	now := g.run.clock()
	for len(g.alarms) > 0 && g.alarms[0].at <= now {
		a := g.alarms[0]
		w := g.workers[a.worker]
		if w.wake <= now {
			w.takeAll(0)
			g.act(a.worker, true)
		}
		if g.alarm[a.worker] == a {
			a.at = max(w.wake, now+1) // each once: what has come is looked at first
			heap.Fix(&g.alarms, a.place)
		}
	}
}
