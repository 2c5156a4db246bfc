package proxy

import (
	"bytes"

	"biloxi/sip"
)

// Side is one side of this element in a dialog: how those behind it reach us again.
type Side struct {
	Transport sip.Transport
	Host      []byte // host, and port if it is not the default one of the URI, that leads to us
	Token     []byte // a flow token, if what comes back is to go down that side's flow; nil: none
	NoSIPS    bool   // who is there writes transport=tls in sip URIs ([Received.WritesTLS]), and may not know sips
	Proof     []byte // of the dialog ([Proxy.Prove]); nil: none
}

// MakesRoute reports whether a request of that method gets a Record-Route: one that can make a dialog or refresh its
// targets (RFC 3261 §16.6 step 4 wants none where nothing ever comes back by it). Methods that are not known here may.
func MakesRoute(method sip.Method) bool {
	switch method {
	case sip.Ack, sip.Cancel, sip.Register, sip.Bye, sip.Options, sip.MESSAGE, sip.Info, sip.Prack, sip.Publish:
		return false
	}
	return true
}

// AppendRecordRoute appends the Record-Route value or values of a copy, nothing if it gets none.
//
// in is the side that the request came from, out the one that it leaves by; secure is [Received.Secure]. wanted
// says that the server wishes to stay on the path; without it a value is written only where RFC 3261 §16.6
// step 4 demands it, because one side is secure and the other is not.
//
// Two values are written, out's first, where the sides differ (RFC 5658 §6): each neighbour then finds its own
// side topmost, and nothing has to be rewritten in a response (RFC 3261 §16.7 step 8). A transport is named where it
// is not UDP, since the neighbour on that side is seen to use it (§16.6 step 4: SHOULD NOT otherwise) and would come
// over UDP without.
//
// A sip request that leaves over TLS gets a sip URI, which says nothing of TLS: RFC 3261 forbids sips there and
// RFC 5630 §5.3 forbids transport=tls. Many phones know nothing else, so [Config].TLSParam writes it. A phone that
// writes it itself gets it even where RFC 3261 wants sips towards TLS (§16.7 step 8): baresip sends no ACK by a Route
// with sips (docs/peers.md), and RFC 5630 §3.1.3 lets a proxy have sip URIs over TLS.
func (p *Proxy) AppendRecordRoute(dst []byte, method sip.Method, in, out Side, secure, wanted bool) []byte {
	if !MakesRoute(method) {
		return dst
	}
	// RFC 3261 §16.6 step 4: sips to somebody who came without TLS, or the reverse.
	if !wanted && in.Transport.Secure() == secure {
		return dst
	}
	if in.same(out) {
		return p.appendSide(dst, out, secure)
	}
	dst = p.appendSide(dst, out, secure)
	dst = append(dst, ", "...)
	// RFC 3261 §16.7 step 8: towards TLS a sips URI, towards anything else a sip URI.
	plain := !secure && in.NoSIPS && in.Transport == sip.TLS && p.tlsParam
	return p.appendSide(dst, in, in.Transport.Secure() && !plain)
}

// WritesTLS reports whether who sent the request writes transport=tls in a sip URI, as his Contact shows: a thing of
// RFC 2543's time that RFC 5630 §3.1.4 wants no more of, and that many phones live by.
func (in *Received) WritesTLS() bool {
	value, ok := in.Value(sip.HeaderContact)
	if !ok {
		return false
	}
	contact, _, err := sip.NextNameAddr(value)
	if err != nil || contact.URI.Scheme != sip.SchemeSIP {
		return false
	}
	transport, _ := contact.URI.Params.Value("transport")
	return bytes.EqualFold(transport, []byte("tls"))
}

func (s *Side) same(o Side) bool {
	return s.Transport == o.Transport && string(s.Host) == string(o.Host) && string(s.Token) == string(o.Token)
}

func (p *Proxy) appendSide(dst []byte, s Side, secure bool) []byte {
	if secure {
		dst = append(dst, "<sips:"...)
	} else {
		dst = append(dst, "<sip:"...)
	}
	if len(s.Token) > 0 {
		dst = append(append(dst, s.Token...), '@')
	}
	dst = append(dst, s.Host...)
	switch {
	case s.Transport == sip.TLS && !secure && p.tlsParam:
		dst = append(dst, ";transport=tls"...)
	case s.Transport == sip.TCP:
		dst = append(dst, ";transport=tcp"...)
	case s.Transport == sip.WS || s.Transport == sip.WSS:
		// RFC 7118 §5.3: ws, over TLS or not.
		dst = append(dst, ";transport=ws"...)
	}
	if len(s.Proof) > 0 {
		dst = append(append(dst, ";"+proofParam+"="...), s.Proof...)
	}
	return append(dst, ";lr>"...)
}
