package server

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"biloxi/sip"
	"biloxi/transport"
)

// Receive implements transport.Handler. It runs on the reader's goroutine, up to the answer or, for a
// registration, up to the location service; it waits for nothing.
func (s *Server) Receive(out *transport.Out, in *transport.Arrival) {
	s.ledger.received.Add(1)
	x := s.exchanges.Get().(*exchange)
	x.flow, x.to = in.Flow, in.Flow.Remote
	defer s.survive(out, in)
	s.handle(s.now(), out, in, x)
	x.release()
}

// survive keeps a fault of ours in one request from ending all others: it is counted, logged with its stack,
// and answered 500 (RFC 3261 §21.5.1). The exchange is left to the garbage collector, since nobody knows what
// state it is in.
func (s *Server) survive(out *transport.Out, in *transport.Arrival) {
	fault := recover()
	if fault == nil {
		return
	}
	s.ledger.refuse(s.now(), refusedInternal, in.Flow.Remote, fmt.Sprintf("%v\n%s", fault, debug.Stack()), sender{})
	x := s.newExchange().(*exchange)
	if x.msg.Parse(in.Data) == nil && x.msg.Answerable() {
		via, _ := x.msg.Via()
		x.to = s.responseAddr(&via, in.Flow)
		s.reply(out, in, x, 500, sip.AppendEnd(s.begin(out, in, x, 500, ""), nil))
	}
}

// handle answers one message.
func (s *Server) handle(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	if !s.understand(now, out, in, x) {
		return
	}
	if s.denied(now, out, in, x) {
		return
	}
	switch x.msg.Method() {
	case sip.Register:
		if !s.closing(now, out, in, x) {
			s.register(now, out, in, x)
		}
	case sip.Ack:
		if !s.transactions.Absorb(now, &x.req, in.Flow) {
			s.acknowledge(now, x)
			if x.caller.proved {
				// A user of ours has answered: who called him need not have authenticated, and is to be reached by
				// this connection until the call is over.
				out.Keep(in)
			}
		}
	case sip.Cancel:
		if !s.transactions.Absorb(now, &x.req, in.Flow) {
			s.strayCancel(now, out, in, x)
		}
	default:
		if !s.transactions.Absorb(now, &x.req, in.Flow) && !s.closing(now, out, in, x) {
			s.forward(now, out, in, x)
		}
	}
}

// understand parses the message and sees to everything that stands before the method (RFC 3261 §8.2,
// §16.3 step 1). False if the message is done with.
func (s *Server) understand(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	err := x.parse(in.Data)
	if x.msg.IsResponse() || isResponse(in.Data) {
		s.answered(now, in, x, err)
		return false
	}
	if in.Err != nil {
		s.malformed(now, out, in, x, refusedFraming, in.Err)
		return false
	}
	if err != nil {
		s.malformed(now, out, in, x, refusedSyntax, err)
		return false
	}
	err = x.req.Decode(&x.msg)
	x.to = s.responseAddr(&x.req.Via, in.Flow)
	if x.msg.Answerable() && !x.msg.Version20() {
		s.refuse(now, out, in, x, refusedVersion, 505, "")
		return false
	}
	if err != nil {
		s.malformed(now, out, in, x, refusedHeader, err)
		return false
	}
	x.decoded = true
	if !x.req.Target.IsSIP() && (!x.req.Target.IsTel() || x.msg.Method() == sip.Register) {
		// RFC 3261 §8.2.2.1: a scheme that is not understood is 416.
		s.refuse(now, out, in, x, refusedScheme, 416, "")
		return false
	}
	if x.req.Target.Scheme == sip.SchemeSIPS && !in.Flow.Transport.Secure() && x.msg.Method() == sip.Register {
		// RFC 3261 §26.2.2, RFC 5630 §3.1: each hop to a sips URI is TLS, so this one should have been. What is
		// forwarded §16.6 step 4 lets pass, with a Record-Route that is sips.
		s.refuse(now, out, in, x, refusedInsecure, 403, "SIPS Requires TLS")
		return false
	}
	return true
}

// malformed answers 400 where an answer can be made and somebody can have it (RFC 3261 §8.2, §18.3), and
// drops the message otherwise. The reason phrase says what is wrong (§21.4.1).
func (s *Server) malformed(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, why refusal, err error) {
	if !x.msg.Answerable() {
		s.ledger.refuseError(now, why, in.Flow.Remote, err, x.sender())
		return
	}
	via, _ := x.msg.Via()
	x.to = s.responseAddr(&via, in.Flow)
	e, ok := err.(*sip.SyntaxError)
	switch {
	case !ok:
		s.refuse(now, out, in, x, why, 400, "")
	case e.TooLarge:
		s.refuse(now, out, in, x, why, 513, "")
	default:
		s.refuse(now, out, in, x, why, 400, x.badRequest(e.Append(x.phrase[:0])))
	}
}

// badRequest is the reason phrase of a 400 with a detail, which x may keep. It is the string of the last time
// where that said the same, so that a flood of one fault makes no garbage.
func (x *exchange) badRequest(detail []byte) string {
	x.phrase = detail
	for i, c := range detail {
		// RFC 3261 §25.1: what a Reason-Phrase cannot have.
		if c < ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}[]#", c) >= 0 {
			detail[i] = '.'
		}
	}
	const begin = "Bad Request: "
	if len(x.badPhrase) != len(begin)+len(detail) || x.badPhrase[len(begin):] != string(detail) {
		x.badPhrase = begin + string(detail)
	}
	return x.badPhrase
}

// refuse answers with a status alone and counts why. An empty phrase is the status's own.
func (s *Server) refuse(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, why refusal, status int, phrase string) {
	detail := phrase
	if detail == "" {
		detail = sip.StatusText(status)
	}
	s.ledger.refuse(now, why, in.Flow.Remote, detail, x.sender())
	if x.msg.Method() == sip.Ack {
		return
	}
	s.reply(out, in, x, status, sip.AppendEnd(s.begin(out, in, x, status, phrase), nil))
}

// begin begins a response in the reader's batch: the status-line and what is mirrored.
func (s *Server) begin(out *transport.Out, in *transport.Arrival, x *exchange, status int, phrase string) []byte {
	if x.decoded {
		return x.req.AppendResponse(out.Buffer(), status, phrase, x.toTag(), in.Flow.Remote)
	}
	return sip.AppendResponse(out.Buffer(), &x.msg, status, phrase, x.toTag(), in.Flow.Remote)
}
