package server

import (
	"time"

	"biloxi/registrar"
	"biloxi/sip"
	"biloxi/transport"
)

// allowed is the Allow of this server: what it answers itself, as registrar and as a user agent server (RFC 3261
// §20.5). What it forwards is any method.
const allowed = "REGISTER, OPTIONS, ACK, CANCEL"

// serve answers a request for the server itself.
func (s *Server) serve(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	if x.msg.Method() == sip.Options {
		s.options(now, out, in, x)
		return
	}
	s.notAllowed(now, out, in, x, x.msg.Method())
}

// options answers with what the server can do (RFC 3261 §11.2).
func (s *Server) options(now time.Time, out *transport.Out, in *transport.Arrival, x *exchange) {
	if s.unsupported(now, out, in, x) {
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
	if !m.Known() {
		s.refuse(now, out, in, x, refusedMethod, 501, "")
		return
	}
	s.ledger.refuse(now, refusedMethod, in.Flow.Remote, string(m), x.sender())
	b := s.begin(out, in, x, 405, "")
	b = sip.AppendFieldString(b, sip.HeaderAllow, allowed)
	s.reply(out, in, x, 405, sip.AppendEnd(b, nil))
}

// isOwnAddress reports whether a URI has the address of ours that the request was sent to. One without a port means
// the default one, but who asks an address what it can do asks whom he has reached.
func isOwnAddress(u *sip.URI, flow sip.Flow) bool {
	host, ok := u.HostAddr()
	return ok && host.Unmap() == flow.Local.Addr().Unmap() && (u.Port == 0 || u.Port == flow.Local.Port())
}
