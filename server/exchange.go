package server

import (
	"errors"
	"net/netip"
	"time"

	"biloxi/location"
	"biloxi/proxy"
	"biloxi/registrar"
	"biloxi/sip"
	"biloxi/transport"
)

// exchange is a request on its way to its answer. Exchanges are pooled and keep their tables, so that a
// warm one costs no allocation. One goroutine owns it: the reader that received the request, or, from a
// registration that waits for the disk on, the location service, which calls Done.
type exchange struct {
	server       *Server
	msg          sip.Message
	req          sip.Request
	decoded      bool // req is, whole
	registration registrar.Registration
	flow         sip.Flow
	to           netip.AddrPort // where the response goes over UDP
	tag          []byte         // of the To in our responses; empty until toTag makes it
	phrase       []byte         // scratch of badRequest
	badPhrase    string         // what badRequest returned last
	aor          []byte
	user         []byte // of the AOR, or of a user who calls or is called, escapes decoded

	// Of a request that may be forwarded.
	in      proxy.Received
	caller  caller
	route   *route // that matches; nil: none
	lastHop bool   // OPTIONS that goes no further
	record  location.Record
	view    []byte // what record refers to
}

func (s *Server) newExchange() any { return &exchange{server: s} }

// release gives the exchange back. Nothing of the request may be used afterwards.
func (x *exchange) release() {
	x.decoded = false // req is written anew by the next that is decoded
	x.tag = x.tag[:0]
	x.route, x.lastHop = nil, false
	x.server.exchanges.Put(x)
}

// Done implements location.Done: the registration is on disk, or it failed and nothing of it is left.
func (x *exchange) Done(err error) {
	s := x.server
	switch {
	case err != nil:
		s.unavailable(s.now(), x, err)
	case x.registration.Status >= 300:
		// Refused by what another request had changed a moment before; it waited for that to be durable.
		s.ledger.refuse(s.now(), refusedRegistration, x.flow.Remote, x.registration.Reason, sender{to: x.aor})
	}
	s.ledger.answer(x.registration.Status)
	// A response that cannot be sent is not our loss: the client retransmits, and the connection that
	// has gone is counted by the transport.
	_ = s.transport.Send(x.flow, x.to, x.registration.Response)
	x.release()
}

// unavailable turns the answer of a registration that was not stored into 503 (RFC 3261 §21.5.4), or 500.
func (s *Server) unavailable(now time.Time, x *exchange, err error) {
	why, retryAfter := refusedStore, retryAfterStore
	switch {
	case errors.Is(err, location.ErrOverload):
		why = refusedLoad
	case errors.Is(err, location.ErrTooLarge):
		why, retryAfter = refusedRegistration, 0 // 500: the same again would not fit either
	}
	s.ledger.refuse(now, why, x.flow.Remote, err.Error(), sender{to: x.aor}) // the request may be gone
	x.registration.Unavailable(retryAfter)
}

// reply sends the response at once, with the batch of the reader.
func (s *Server) reply(out *transport.Out, in *transport.Arrival, x *exchange, status int, b []byte) {
	s.ledger.answer(status)
	out.Reply(in, x.to, b)
}
