package server

import (
	"context"
	"sync/atomic"
	"time"

	"biloxi/sip"
	"biloxi/transport"
)

// drain is the way to the end: what begins something is refused, what is under way goes on until it is over, or until
// there is no more time.
type drain struct {
	begun atomic.Bool
	over  atomic.Bool // it waits for nothing any more
	// Of INVITEs that were answered with success, how many wait for their ACK, and when the last was answered. An ACK that
	// goes another way, or is lost, never comes by here: so the time counts too.
	unacknowledged atomic.Int64
	answered       atomic.Int64 // Unix nanoseconds
}

// answer notes that an INVITE has been answered with success.
func (d *drain) answer(now time.Time) {
	d.answered.Store(now.UnixNano())
	d.unacknowledged.Add(1)
}

// acknowledge notes that the ACK of such an answer has come by, this or another time.
func (d *drain) acknowledge() {
	if n := d.unacknowledged.Add(-1); n < 0 {
		d.unacknowledged.CompareAndSwap(n, 0)
	}
}

// waits reports whether an ACK may still come by.
func (d *drain) waits(now time.Time) bool {
	return d.unacknowledged.Load() > 0 && now.UnixNano()-d.answered.Load() < int64(drainAck)
}

// Drain refuses what begins something from now on, with 503 and Retry-After, and returns when what is under way is over:
// at once if nothing is. A little before ctx's deadline, or when ctx is cancelled, it gives up what is left: branches are
// cancelled and callers told 503. Answers to that it awaits no longer than ctx. What belongs to a dialog that came this
// way still goes through if a call cannot do without: ACK, CANCEL, PRACK, UPDATE and BYE.
func (s *Server) Drain(ctx context.Context) {
	s.drain.begun.Store(true)
	defer s.drain.over.Store(true)
	late, gone := s.lastMoments(ctx)
	ticker := time.NewTicker(drainTick)
	defer ticker.Stop()
	for !s.drain.over.Load() && (s.transactions.Working() > 0 || s.drain.waits(s.now())) {
		select {
		case <-ticker.C:
		case <-late:
			s.giveUp()
			late = nil
		case <-gone:
			return
		case <-ctx.Done():
			if late != nil {
				s.giveUp()
			}
			return
		}
	}
}

// lastMoments are when what is left is given up, and when answers to that are awaited no longer, so that there is time
// left to close everything in. nil is never: if ctx has no deadline.
func (s *Server) lastMoments(ctx context.Context) (late, gone <-chan time.Time) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, nil
	}
	left := time.Until(deadline)
	part := min(left/drainPart, drainFarewell)
	return time.After(left - 2*part), time.After(left - part)
}

// giveUp ends what is still under way: callers are told, and branches cancelled.
func (s *Server) giveUp() {
	now, n := s.now(), 0
	for _, open := range s.transactions.Open() {
		r, ok := open.Owner.(*relay)
		if !ok || !r.enter(open.ID) {
			continue
		}
		r.perform(now, r.ctx.Stop(now), nil)
		r.leave()
		n++
	}
	if n > 0 {
		s.log.Info("requests given up", "requests", n)
	}
	s.transport.Flush()
}

// closing reports whether a request, which belongs to no transaction, comes too late, and has it refused then.
func (s *Server) closing(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	if !s.drain.begun.Load() {
		return false
	}
	if x.req.To.Tag() != nil {
		switch x.msg.Method() {
		case sip.Prack, sip.Update, sip.Bye:
			return false // of a dialog of ours, perhaps: see closed
		}
	}
	s.goingDown(now, out, in, x)
	return true
}

// closed reports whether a request that closing has let by is of no dialog that came this way, and has it refused then.
func (s *Server) closed(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	if x.caller.proved || !s.drain.begun.Load() {
		return false
	}
	s.goingDown(now, out, in, x)
	return true
}

// goingDown answers that the server is going down (RFC 3261 §21.5.4); nothing is kept for it.
func (s *Server) goingDown(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	s.ledger.refuse(now, refusedClosing, in.Flow.Remote, "the server is going down", x.sender())
	b := s.begin(out, in, x, 503, "")
	b = sip.AppendFieldUint(b, sip.HeaderRetryAfter, uint64(retryAfterLoad/time.Second))
	s.reply(out, in, x, 503, sip.AppendEnd(b, nil))
}
