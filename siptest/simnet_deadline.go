package siptest

import (
	"sync"
	"time"
)

// simDeadline is a deadline that can be waited for on a channel and moved while somebody waits.
type simDeadline struct {
	mu      sync.Mutex
	timer   *time.Timer
	expired chan struct{} // closed when the deadline is over
}

func newSimDeadline() *simDeadline { return &simDeadline{expired: make(chan struct{})} }

// wait returns the channel that is closed when the deadline is over.
func (d *simDeadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.expired
}

// over reports whether the deadline is over.
func (d *simDeadline) over() bool {
	select {
	case <-d.wait():
		return true
	default:
		return false
	}
}

// set moves the deadline; the zero time takes it away.
func (d *simDeadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	select {
	case <-d.expired:
		d.expired = make(chan struct{})
	default:
	}
	if t.IsZero() {
		return
	}
	expired := d.expired
	left := time.Until(t)
	if left <= 0 {
		close(expired)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.timer == timer { // else it was moved in the meantime
			d.timer = nil
			close(expired)
		}
	})
	d.timer = timer
}
