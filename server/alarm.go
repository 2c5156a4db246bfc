package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// alarm is when a relay is to be told of the time, and its place among the others, which is under their lock.
type alarm struct {
	relay         *relay
	at            atomic.Int64 // Unix nanoseconds; 0: none is set
	before, after *alarm
}

// alarms are the relays that wait for the time, the first to fire first: INVITEs for a Timer C, and apart from them
// other requests, which wait for less. Nearly all of one kind are set to the same time from now on, so that a new one
// goes to the end. Its lock is taken under that of a relay, never the other way round.
type alarms struct {
	mu             sync.Mutex
	invite, others alarm // rings: after it stands the first, before it the last
}

func newAlarms() *alarms {
	a := &alarms{}
	for _, ring := range []*alarm{&a.invite, &a.others} {
		ring.before, ring.after = ring, ring
	}
	return a
}

// ring is where a relay's alarm stands.
func (a *alarms) ring(r *relay) *alarm {
	if r.req.Method() == sip.Invite {
		return &a.invite
	}
	return &a.others
}

// set sets a relay's alarm; the zero time is none. The relay is held while one is set, and by the caller.
func (a *alarms) set(r *relay, when time.Time) {
	one, at := &r.deadline, int64(0)
	if !when.IsZero() {
		at = when.UnixNano()
	}
	if one.at.Load() == at {
		return // one that fires now is set again when it has
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one.relay = r
	if one.after != nil {
		one.unlink()
		r.holds.Add(-1)
	}
	one.at.Store(at)
	if at == 0 {
		return
	}
	r.holds.Add(1)
	ring := a.ring(r)
	last := ring.before
	for last != ring && last.at.Load() > at {
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
	for _, ring := range [...]*alarm{&a.invite, &a.others} {
		if one := ring.after; one != ring && one.at.Load() <= now.UnixNano() {
			one.unlink()
			one.at.Store(0)
			return one.relay
		}
	}
	return nil
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
		s.watchClock(now)
		s.watchSubscribers()
		for r := s.alarms.due(now); r != nil; r = s.alarms.due(now) {
			some = true
			r.mu.Lock()
			r.perform(now, r.ctx.Advance(now), nil)
			r.leave()
		}
		s.heldAcks.expire(now)
		if some {
			s.transport.Flush()
		}
	}
}
