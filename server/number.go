package server

import (
	"bytes"

	"biloxi/proxy"
	"biloxi/sip"
)

// number makes of a tel URI in the Request-URI the SIP URI that it stands for here (RFC 3261 §19.1.6): the number as the
// user of the domain that its phone-context names, else of the one that From names, else of the first. All that decides
// where the request goes looks at that; what goes on by a route keeps its Request-URI. Any other request is left as it
// is. RFC 3966 §5.1.5: a number in a context that is none of our domains is not ours to understand.
func (x *exchange) number(st *state) *proxy.Refusal {
	u := &x.req.Target
	if !u.IsTel() {
		return nil
	}
	number, context, ok := sip.AppendNumber(nil, u.Subscriber())
	if !ok {
		return proxy.BadScheme
	}
	d := claimedDomain(st, x)
	if d == nil {
		d = st.domains.first
	}
	if context != nil && number[0] != '+' {
		if d = st.domains.find(context).domain; d == nil {
			return proxy.BadScheme
		}
	}
	text := append([]byte("sip:"), bytes.ReplaceAll(number, []byte("#"), []byte("%23"))...)
	text = append(append(append(text, '@'), d.name...), ";user=phone"...)
	uri, err := sip.ParseURI(text)
	if err != nil {
		return proxy.BadScheme
	}
	x.req.Target, x.tel = uri, true
	return nil
}

// asksFor is the Request-URI as it came.
func (x *exchange) asksFor() *sip.URI {
	if x.tel {
		if uri, err := sip.ParseURI(x.req.RequestURI()); err == nil {
			return &uri
		}
	}
	return &x.req.Target
}

// plainNumber has a user that is a number, as user=phone says, be looked for without its visual separators (RFC 3966 §4).
func (x *exchange) plainNumber() {
	u := &x.in.URI
	if u.Subscriber() == nil || !bytes.ContainsAny(u.User, "-.();%") {
		return
	}
	if number, context, ok := sip.AppendNumber(nil, u.User); ok && (context == nil || number[0] == '+') {
		u.User = bytes.ReplaceAll(number, []byte("#"), []byte("%23"))
	}
}

// called decides who takes a tel URI: a user of ours with that number, before a route that is for numbers; else a route.
// Neither: nobody understands it (RFC 3261 §16.3 step 2).
func (s *Server) called(x *exchange, st *state, d *domain) *proxy.Refusal {
	if !x.tel {
		return nil
	}
	x.user = sip.AppendUnescaped(x.user[:0], x.in.URI.User)
	_, exists := s.subscribers.Lookup(x.user, d.name)
	routed := x.route != nil && len(x.route.hops) > 0
	switch {
	case exists && routed && len(x.route.source) == 0:
		x.route = nil
	case !exists && !routed && !st.watchfulness.hide:
		return proxy.BadScheme
	}
	return nil
}
