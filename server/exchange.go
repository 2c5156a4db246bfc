package server

import (
	"errors"
	"net/netip"
	"time"

	"biloxi/defence"
	"biloxi/location"
	"biloxi/registrar"
	"biloxi/sip"
	"biloxi/transport"
)

// exchange is a request on its way to its answer. Exchanges are pooled and keep their tables, so that a
// warm one costs no allocation. The reader that received the request owns it.
type exchange struct {
	*registering // another one when the first waits for the disk
	*request
	spare     *request // for the next one, once a relay has taken this
	decoded   bool     // req is, whole
	tag       []byte   // of the To in our responses; empty until toTag makes it
	phrase    []byte   // scratch of badRequest
	badPhrase string   // what badRequest returned last
	login     login    // of the credentials
	user      []byte   // of the AOR, or of a user who calls or is called, escapes decoded

	// Of a request that may be forwarded.
	caller  caller
	route   *route // that matches; nil: none
	lastHop bool   // OPTIONS that goes no further
	tel     bool   // its Request-URI is a tel URI
	own     []byte // scratch of toThemselves
	record  location.Record
	view    []byte // what record refers to

	attempt defence.Attempt // of a request that the defence judges or counts
	guessed []byte          // its user
}

// registering is what a registration needs to be answered when it is on disk. They are pooled too, apart from their
// exchanges, so that the next request finds the large tables of the last one in the processor's cache. Who owns the
// exchange owns it, or, from a registration that waits for the disk on, the location service, which calls Done.
type registering struct {
	server       *Server
	registration registrar.Registration
	flow         sip.Flow
	to           netip.AddrPort // where the response goes over UDP
	aor          []byte

	at       int64 // when it came, in Unix milliseconds
	contacts int   // that an AOR may have
	hurried  bool  // it is refused since the AOR changes too fast
}

func (s *Server) newExchange() any {
	return &exchange{registering: s.registering.Get().(*registering), request: new(request)}
}

func (s *Server) newRegistering() any { return &registering{server: s} }

// release gives the exchange back. Nothing of the request may be used afterwards.
func (x *exchange) release() {
	if x.spare != nil {
		x.request, x.spare = x.spare, nil
	}
	x.request.trim()
	x.decoded = false // req is written anew by the next that is decoded
	x.tag = x.tag[:0]
	x.route, x.lastHop, x.tel = nil, false, false
	x.server.exchanges.Put(x)
}

// Done implements location.Done: the registration is on disk, or it failed and nothing of it is left.
func (r *registering) Done(err error) {
	s := r.server
	switch {
	case err != nil:
		s.unavailable(s.now(), r, err)
	case r.registration.Status >= 300:
		// Refused by what another request had changed a moment before; it waited for that to be durable.
		s.ledger.refuse(s.now(), r.refusal(), r.flow.Remote, r.registration.Reason, sender{to: r.aor})
	}
	s.ledger.answer(r.registration.Status)
	// A response that cannot be sent is not our loss: the client retransmits, and the connection that
	// has gone is counted by the transport.
	_ = s.transport.Send(r.flow, r.to, r.registration.Response)
	s.registering.Put(r)
}

// unavailable turns the answer of a registration that was not stored into 503 (RFC 3261 §21.5.4), or 500.
func (s *Server) unavailable(now time.Time, r *registering, err error) {
	why, retryAfter := refusedStore, retryAfterStore
	switch {
	case errors.Is(err, location.ErrOverload):
		why = refusedLoad
	case errors.Is(err, location.ErrTooLarge):
		why, retryAfter = refusedRegistration, 0 // 500: the same again would not fit either
	}
	s.ledger.refuse(now, why, r.flow.Remote, err.Error(), sender{to: r.aor}) // the request may be gone
	r.registration.Unavailable(retryAfter)
}

// reply sends the response at once, with the batch of the reader.
func (s *Server) reply(out *transport.Out, in *transport.Arrival, x *exchange, status int, b []byte) {
	s.ledger.answer(status)
	out.Reply(in, x.to, b)
}
