package server

import (
	"context"
	"sync"
	"time"
)

// alarm is when a relay is to be told of the time, and its place among the others.
type alarm struct {
	relay         *relay
	at            time.Time
	before, after *alarm
}

// alarms are the relays that wait for a Timer C, the first to fire first. Nearly all are set to the same time from
// now on, so that a new one goes to the end. Its lock is taken under that of a relay, never the other way round.
type alarms struct {
	mu   sync.Mutex
	ring alarm // after it stands the first, before it the last
}

func newAlarms() *alarms {
	a := &alarms{}
	a.ring.before, a.ring.after = &a.ring, &a.ring
	return a
}

// set sets a relay's alarm; the zero time is none. The relay is held while one is set, and by the caller.
func (a *alarms) set(r *relay, at time.Time) {
	one := &r.deadline
	if one.at.Equal(at) {
		return
	}
	one.relay = r
	a.mu.Lock()
	defer a.mu.Unlock()
	if one.after != nil {
		one.unlink()
		r.holds.Add(-1)
	}
	if one.at = at; at.IsZero() {
		return
	}
	r.holds.Add(1)
	last := a.ring.before
	for last != &a.ring && last.at.After(at) {
		last = last.before
	}
	one.before, one.after = last, last.after
	one.before.after, one.after.before = one, one
}

func (one *alarm) unlink() {
	one.before.after, one.after.before = one.after, one.before
	one.before, one.after = nil, nil
}

// due takes the first relay whose time has come, nil if there is none. Its hold becomes the caller's.
func (a *alarms) due(now time.Time) *relay {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.ring.after
	if one == &a.ring || one.at.After(now) {
		return nil
	}
	one.unlink()
	one.at = time.Time{}
	return one.relay
}

// watch tells relays of the time until ctx ends.
func (s *Server) watch(ctx context.Context) {
	ticker := time.NewTicker(alarmTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, some := s.now(), false
		for r := s.alarms.due(now); r != nil; r = s.alarms.due(now) {
			some = true
			r.mu.Lock()
			r.perform(now, r.ctx.Advance(now), nil)
			r.leave()
		}
		if some {
			s.transport.Flush()
		}
	}
}
