package crash

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is many phones at work on one life of the server.
type load struct {
	ending  atomic.Bool // the server is being ended: connections may break
	gone    chan struct{}
	acks    atomic.Int64
	target  int64 // acks after which enough is closed
	enough  chan struct{}
	running sync.WaitGroup
}

func newLoad(target int64) *load {
	return &load{gone: make(chan struct{}), target: target, enough: make(chan struct{})}
}

func (l *load) acknowledge() {
	if l.acks.Add(1) == l.target {
		close(l.enough)
	}
}

// dead reports whether the server's process has ended.
func (l *load) dead() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// start has the phones run, each on its goroutine, until stop.
func (l *load) start(t *testing.T, phones []*phone) {
	for _, p := range phones {
		p.load = l
		l.running.Go(func() {
			if err := p.run(); err != nil {
				t.Error(err)
			}
		})
	}
}

// stop waits for the phones of a server that has ended.
func (l *load) stop() {
	close(l.gone)
	l.running.Wait()
}

// wait waits until so much was acknowledged as was aimed at. The load is measured in that and not in time, so
// that a slow machine kills as deep in the work as a fast one.
func (l *load) wait(t *testing.T) {
	t.Helper()
	select {
	case <-l.enough:
	case <-time.After(patience):
		t.Errorf("only %d of %d requests were acknowledged", l.acks.Load(), l.target)
	}
}
