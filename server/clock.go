package server

import (
	"sync/atomic"
	"time"
)

// clock is the server's own. It begins with the time of day and goes on evenly: when that is set by an hour or a year,
// forward or back, nothing ends by it, and nothing lasts longer.
type clock struct {
	began time.Time        // with its monotonic reading
	wall  func() time.Time // the time of day
	ahead atomic.Int64     // by how much that is ahead of the clock, in nanoseconds; 0 up to clockSlack
}

// start gives the clock, or the one that is given in its place.
func (c *clock) start(given, wall func() time.Time) (now func() time.Time) {
	now = given
	if now == nil {
		c.began = time.Now()
		now = func() time.Time { return c.began.Add(time.Since(c.began)) }
	}
	if c.wall = wall; wall == nil && given == nil {
		c.wall = func() time.Time { return time.Now().Round(0) } // without the monotonic reading
	} else if wall == nil {
		c.wall = given
	}
	return now
}

// aheadOf is how far the time of day is ahead of the clock.
func (c *clock) aheadOf() time.Duration { return time.Duration(c.ahead.Load()) }

// watchClock notices that the time of day was set.
func (s *Server) watchClock(now time.Time) {
	c := &s.clock
	was, ahead := c.aheadOf(), c.wall().Sub(now.Round(0))
	if by := ahead - was; by.Abs() >= clockSlack {
		c.ahead.Store(int64(ahead))
		s.log.Warn("the time of day was set: registrations, nonces and timers go on as if it had not been",
			"by", by.Round(time.Second).String(), "since_start", ahead.Round(time.Second).String())
	}
}
