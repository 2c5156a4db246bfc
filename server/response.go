package server

import (
	"time"

	"biloxi/proxy"
	"biloxi/sip"
	"biloxi/transaction"
	"biloxi/transport"
)

// isResponse reports whether b begins as a response does (RFC 3261 §7.2), also where the rest of the status-line cannot be
// read.
func isResponse(b []byte) bool {
	b = afterCRLFs(b)
	return len(b) > 4 && b[0]|0x20 == 's' && b[1]|0x20 == 'i' && b[2]|0x20 == 'p' && b[3] == '/'
}

// afterCRLFs is b without the CRLFs before the start-line (RFC 3261 §7.5).
func afterCRLFs(b []byte) []byte {
	for len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		b = b[2:]
	}
	return b
}

// answered takes a response: to a request that we forwarded, or of nobody's asking. err is that of its parsing. What
// matters of it is whose it is; the rest is looked at when it is passed on, and is the caller's to read.
func (s *Server) answered(now time.Time, in *transport.Arrival, x *exchange, err error) {
	method := x.msg.CSeqMethod()
	switch {
	case x.msg.IsResponse() && method != "":
		_, _, err = x.msg.TopVia()
	case err == nil:
		_, err = x.msg.CSeq()
	}
	switch {
	case in.Err != nil:
		s.ledger.refuseError(now, refusedFraming, in.Flow.Remote, in.Err, x.sender())
		s.unreadable(now, in.Data, method)
	case err != nil:
		s.ledger.refuseError(now, refusedSyntax, in.Flow.Remote, err, x.sender())
		s.unreadable(now, in.Data, method)
	case method != sip.Cancel && !proxy.GoesOn(&x.msg):
		// RFC 3261 §16.7 step 3: it is no answer to a request that came from somebody else.
		s.ledger.refuse(now, refusedResponse, in.Flow.Remote, "no Via is left but ours", x.sender())
		s.unmeant(now, &x.msg, method)
	case !s.transactions.ReceiveResponse(now, &x.msg, in.Flow):
		// RFC 6026 §8.9, RFC 3261 §18.1.2: it goes nowhere.
		s.ledger.refuse(now, refusedResponse, in.Flow.Remote, "nobody asked for it", x.sender())
	}
}

// unreadable ends the branch of a response that cannot be read so far that its transaction could take it, if a branch of
// ours is in it.
func (s *Server) unreadable(now time.Time, b []byte, method sip.Method) {
	branch := proxy.OwnBranch(b)
	if branch == nil || method == sip.Cancel {
		return
	}
	id := s.transactions.Client(branch, method)
	if l := s.legOf(id); l != nil {
		r := l.relay
		if s.waits(id) {
			r.perform(now, r.ctx.Damaged(now, l.branch, statusOf(b), true), nil)
		}
		r.leave()
	}
}

// unmeant is a response with no Via but ours. A provisional one means nothing. Behind a final one hardly another comes: the
// branch has a few seconds for it.
func (s *Server) unmeant(now time.Time, resp *sip.Message, method sip.Method) {
	via, _, err := resp.TopVia()
	if err != nil || resp.StatusCode() < 200 {
		return
	}
	id := s.transactions.Client(via.Branch(), method)
	if l := s.legOf(id); l != nil {
		r := l.relay
		if s.waits(id) {
			r.perform(now, r.ctx.Doubt(now, l.branch, resp.StatusCode(), false), nil)
		}
		r.leave()
	}
}

// legOf takes hold of the relay of a client transaction, and returns the leg; nil if it has none.
func (s *Server) legOf(id transaction.ID) *leg {
	if l, ok := s.transactions.Owner(id).(*leg); ok && l.seize(id) {
		return l
	}
	return nil
}

// statusOf is the Status-Code of what begins as a response does, 0 if there is none in 100-699.
func statusOf(b []byte) int {
	b = afterCRLFs(b)
	i := 0
	for i < len(b) && b[i] != ' ' && b[i] != '\r' && b[i] != '\n' {
		i++
	}
	for i < len(b) && b[i] == ' ' {
		i++
	}
	code, from := 0, i
	for i < len(b) && '0' <= b[i] && b[i] <= '9' && i-from < 4 {
		code = 10*code + int(b[i]-'0')
		i++
	}
	if i-from != 3 || code < 100 || code > 699 {
		return 0
	}
	return code
}
