package server

import (
	"time"

	"biloxi/transport"
)

// strayCancel serves a CANCEL that means no transaction of ours (RFC 3261 §9.2, §16.10).
//
// RFC 3261 §16.10: it is forwarded, since the INVITE may have come by when this server knew nothing of it. That holds
// for what goes on elsewhere; what is for a user of ours was here in a transaction, which is over, and 481 says so.
// §22.1: a CANCEL is not challenged; one that would not be forwarded without credentials gets the 481 too.
//
// It goes on in a transaction, as every request here does: without one its answer would be a stray (RFC 6026 §8.9).
func (s *Server) strayCancel(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	st := s.state.Load()
	x.route = nil
	if refusal := s.examine(x, in, st); refusal != nil {
		s.turnDown(now, out, in, x, st, refusal)
		return
	}
	where := placeBeyond
	if x.in.Arrived(st.self) {
		where = placeOpen // or closed: what is for a user of ours was here
	}
	if e, _ := s.evidence(now, x, st); admission[kindCancel][e][where] != pass {
		s.refuse(now, out, in, x, refusedTransaction, 481, "")
		return
	}
	s.relay(now, out, in, x, st, nil)
}
