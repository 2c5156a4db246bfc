package server

import (
	"time"

	"biloxi/registrar"
	"biloxi/sip"
	"biloxi/transport"
)

// allowed is the Allow of a server that registers: what it answers itself (RFC 3261 §20.5).
const allowed = "REGISTER, OPTIONS, ACK, CANCEL"

// options answers an OPTIONS for the server itself with what it can do (RFC 3261 §11.2). One for a user
// is refused: there is no proxy yet that could ask his phone.
func (s *Server) options(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	d := s.state.Load().domains.find(x.req.Target.Host).domain
	switch {
	case x.req.Target.User == nil && isOwnAddress(&x.req.Target, in.Flow):
		// Who watches a server asks its address, whatever its domains are.
	case d == nil:
		s.refuse(now, out, in, x, refusedDomain, 404, "Not Found: domain is not served here")
		return
	case x.req.Target.User != nil && !s.isUser(x, d):
		// RFC 3261 §8.2.2.1: a Request-URI that names nobody here is 404.
		s.refuse(now, out, in, x, refusedUser, 404, "")
		return
	}
	if s.unsupported(now, out, in, x) {
		return
	}
	if x.req.Target.User != nil {
		// RFC 3261 §21.4.18: the user is known, and cannot be reached.
		s.refuse(now, out, in, x, refusedMethod, 480, "Temporarily Unavailable: calls are not served")
		return
	}
	b := s.begin(out, in, x, 200, "")
	b = sip.AppendFieldString(b, sip.HeaderAllow, allowed)
	b = sip.AppendFieldString(b, sip.HeaderAccept, "*/*")
	b = sip.AppendFieldString(b, sip.HeaderAcceptEncoding, "identity")
	b = sip.AppendFieldString(b, sip.HeaderAcceptLanguage, "en")
	b = sip.AppendFieldString(b, sip.HeaderSupported, registrar.Supported)
	s.reply(out, in, x, 200, sip.AppendEnd(b, nil))
}

// isUser reports whether the user of the Request-URI is a subscriber.
func (s *Server) isUser(x *exchange, d *domain) bool {
	x.user = sip.AppendUnescaped(x.user[:0], x.req.Target.User)
	_, ok := s.subscribers.Lookup(x.user, d.name)
	return ok
}

// isOwnAddress reports whether a URI has the address of ours that the request was sent to.
func isOwnAddress(u *sip.URI, flow sip.Flow) bool {
	host, ok := u.HostAddr()
	return ok && host.Unmap() == flow.Local.Addr().Unmap() && (u.Port == 0 || u.Port == flow.Local.Port())
}

// unsupported answers 420 if the request requires an extension that nothing here knows, and lists
// exactly those (RFC 3261 §8.2.2.3).
func (s *Server) unsupported(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) bool {
	list := registrar.AppendUnsupported(nil, &x.msg)
	if len(list) == 0 {
		return false
	}
	s.ledger.refuse(now, refusedExtension, in.Flow.Remote, string(list), x.sender())
	b := s.begin(out, in, x, 420, "")
	b = sip.AppendField(b, sip.HeaderUnsupported, list)
	s.reply(out, in, x, 420, sip.AppendEnd(b, nil))
	return true
}

// notAllowed refuses any other method: 405 with what is allowed for one of the registry, 501 for one
// that nobody knows (RFC 3261 §8.2.1, §21.5.2).
func (s *Server) notAllowed(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange, m sip.Method) {
	if s.state.Load().domains.find(x.req.Target.Host).domain == nil {
		s.refuse(now, out, in, x, refusedDomain, 404, "Not Found: domain is not served here")
		return
	}
	if !m.Known() {
		s.refuse(now, out, in, x, refusedMethod, 501, "")
		return
	}
	s.ledger.refuse(now, refusedMethod, in.Flow.Remote, string(m), x.sender())
	b := s.begin(out, in, x, 405, "")
	b = sip.AppendFieldString(b, sip.HeaderAllow, allowed)
	s.reply(out, in, x, 405, sip.AppendEnd(b, nil))
}
