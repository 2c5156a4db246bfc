package proxy

import (
	"biloxi/resolve"
	"biloxi/sip"
)

// NextHop is what RFC 3261 §16.6 step 7 looks up for a copy of the request: the first value of Route behind
// step 6, else the Request-URI. u is where the query's URI is kept. The flow of a target, if it has one to use,
// is [Received.Direct]'s.
//
// Where the first Route value is a strict router's, it is the Request-URI of the copy: the same place.
func (in *Received) NextHop(t *Target, u *sip.URI) (resolve.Query, *Refusal) {
	target := in.URI
	if t.URI != nil {
		var err error
		if target, err = sip.ParseURI(t.URI); err != nil {
			return resolve.Query{}, BadTarget
		}
	}
	*u = target
	if first, ok := in.firstRoute(t.Routes); ok {
		*u = first
	}
	// RFC 3261 §16.6 step 7: with a sips Request-URI the hop is secure, whatever URI leads to it.
	return resolve.Query{URI: u, Secure: t.Secure || target.Scheme == sip.SchemeSIPS}, nil
}

// Direct reports whether the copy for a target goes over the flow that the target was registered over, and not
// where a URI leads (RFC 5626 §7): it has one, and no Route goes before it.
func (in *Received) Direct(t *Target) bool {
	return !t.Flow.IsZero() && !t.FlowLast && (t.always || len(t.Routes) == 0 && in.kept.empty())
}

// Secure reports whether the copy for a target has a sips URI in its Request-URI or first Route value, which its
// Record-Route must then have too (RFC 3261 §16.6 step 4).
func (in *Received) Secure(t *Target) bool {
	uri := t.URI
	if uri == nil {
		uri = in.URI.Raw()
	}
	if len(uri) > 4 && foldIs(uri[:5], "sips:") {
		return true
	}
	first, ok := in.firstRoute(t.Routes)
	return ok && first.Scheme == sip.SchemeSIPS
}
