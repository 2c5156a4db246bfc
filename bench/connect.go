package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// connect opens connections, registers over each, holds them, and looks how many are still there. An
// operation is one connection, from its first packet to its 200.
func (r *run) connect(ctx context.Context) (*Result, error) {
	c := r.config
	res := r.newResult()
	res.Connections = &Connections{Wanted: c.Workers}
	r.workers = make([]*worker, c.Workers)
	defer r.closeAll()
	shares := shareUsers(c.Users, c.Workers)
	s := &stage{name: "connecting", step: stepRegister, once: true, fresh: true, measured: true}
	done := make(chan struct{})
	go r.report(s, done)
	res.before(c)
	res.begin(c)
	r.measuring.Store(true)
	var opened atomic.Int64
	start := time.Now()
	_ = each(c.Workers, c.Concurrency, func(i int) error {
		due := time.Now()
		if c.Rate > 0 {
			due = start.Add(time.Duration(float64(i) / c.Rate * float64(time.Second)))
			pause(ctx, nil, time.Until(due))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.connectOne(ctx, s, i, shares[i], due) {
			opened.Add(1)
		}
		return nil
	})
	r.measuring.Store(false)
	res.end(c)
	close(done)
	res.Connections.Opened = int(opened.Load())
	pause(ctx, nil, c.Hold)
	res.after(c)
	for _, w := range r.workers {
		if w != nil && w.open() {
			res.Connections.Held++
		}
	}
	r.total(res)
	if m := res.Memory; m != nil && res.Connections.Held > 0 {
		res.Connections.Each = float64(m.After-m.Before) / float64(res.Connections.Held)
	}
	if res.Connections.Opened == 0 {
		return res, r.err
	}
	return res, nil
}

// connectOne opens the i-th connection and registers over it, with one user alone: the pattern may give
// fewer than there are connections.
func (r *run) connectOne(ctx context.Context, s *stage, i int, users []user, due time.Time) bool {
	if len(users) == 0 {
		one := r.config.Users[i%len(r.config.Users)]
		users = []user{{name: one.Name, username: one.Name, password: one.Password, index: uint32(i)}}
	}
	wire, err := r.config.dial(ctx)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			r.counters[i%len(r.counters)].faults[faultConnection].Add(1)
			r.keepError(err)
		}
		return false
	}
	w := newWorker(r, i, 1, users[:1], wire)
	w.began = due.Sub(r.epoch)
	r.workers[i] = w
	if err := w.loop(s); err != nil {
		r.keepError(err)
		return false
	}
	return w.registered
}

// open reports whether the connection is still there.
func (w *worker) open() bool {
	if !w.registered {
		return false
	}
	for {
		n, err := w.wire.receive(time.Now().Add(time.Millisecond), 0)
		if err != nil || n == 0 {
			return err == nil
		}
	}
}
