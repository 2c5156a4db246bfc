package proxy

import (
	"biloxi/sip"
)

// Received is a request that came in, and what RFC 3261 §16.4 made of its Request-URI and its Route: "proceed
// as if it received this modified request". The request's bytes stay as they came; the copies are made of them.
//
// The zero Received is ready for Preprocess, and is used again without allocation. It refers to the request,
// and is valid as long as that is.
type Received struct {
	*sip.Request
	Flow sip.Flow // that it came over
	// URI is the Request-URI after §16.4: a target set is made for it.
	URI sip.URI
	// Token is the user part of our own Route value that was topmost last: a flow token, if it is any. Nil if
	// there was none.
	Token []byte
	// Proof is the proof parameter of our own Route values, or of the Request-URI that a strict router made of one:
	// it shows that the dialog was made through this element ([Proxy.Proves]). Nil if there was none.
	Proof []byte
	// Own says that the Route, or the Request-URI by a strict router, named this element.
	Own bool
	// AOR is the address-of-record, as the location service has it, if that service decides where the request goes;
	// else nil. The loop hash is of it then, and not of the ways to write it.
	AOR []byte
	// Selector is what else the choice of targets depends on, if the server has it depend on something that
	// is not in the request: the name of the route that was taken, say. It is part of the loop hash.
	Selector []byte

	routes  []routeValue // all values of Route
	kept    span         // of those, the ones that are left
	scratch []byte       // a Request-URI that is not one of the request's bytes
	edits   edits

	scratchNumber [5]byte // of the loop hash
}

// span is a part of a list, from its first element to the one before end.
type span struct{ first, end int }

func (s span) empty() bool { return s.first == s.end }

// routeValue is a value of Route, and where it stands in the message.
type routeValue struct {
	line       int // index of its header field
	start, end int
	uri        sip.URI
}

// Preprocess is RFC 3261 §16.4 for a request that was received over flow. Nil if it can go on.
func (in *Received) Preprocess(req *sip.Request, flow sip.Flow, self Self) *Refusal {
	*in = Received{Request: req, Flow: flow, URI: req.Target, routes: in.routes[:0], scratch: in.scratch[:0],
		edits: in.edits}
	if !in.readRoutes() {
		return BadRoute
	}
	if refusal := in.undoStrict(self); refusal != nil {
		return refusal
	}
	if refusal := in.stripMaddr(self); refusal != nil {
		return refusal
	}
	in.popOwn(self)
	return nil
}

// readRoutes finds the Route values; false if one is malformed.
func (in *Received) readRoutes() bool {
	for i := in.Index(sip.HeaderRoute); i >= 0; i = in.Next(i) {
		_, _, rest := in.Field(i)
		for len(rest) > 0 {
			n, more, err := sip.NextNameAddr(rest)
			if err != nil {
				return false
			}
			start := in.Offset(n.Raw())
			in.routes = append(in.routes, routeValue{i, start, start + len(n.Raw()), n.URI})
			rest = more
		}
	}
	in.kept = span{0, len(in.routes)}
	return true
}

func (in *Received) routeBytes(i int) []byte {
	v := in.routes[i]
	return in.Bytes()[v.start:v.end]
}

// undoStrict gives the request back the Request-URI that a strict router took from it.
//
// RFC 3261 §16.4: a Request-URI that we put into a Record-Route is replaced by the last value of Route. Ours
// are known by lr and our name, and the users in them are flow tokens.
func (in *Received) undoStrict(self Self) *Refusal {
	u := &in.URI
	if in.kept.empty() || !u.Params.Has("lr") || u.User != nil && !isToken(u.User) || leaves(u, self) || !self.Is(u.Host, u.Port) {
		return nil
	}
	in.took(u)
	last := &in.routes[in.kept.end-1].uri
	if !last.IsSIP() {
		return BadScheme
	}
	if last.Headers != nil {
		return BadTarget
	}
	in.URI = *last
	in.kept.end--
	return nil
}

// stripMaddr removes a maddr that brought the request here.
//
// RFC 3261 §16.4: of a maddr that is ours, and whose port and transport are those that the request came over,
// the maddr, the port and the transport are stripped. Else the maddr stands: the request goes there (§16.5).
func (in *Received) stripMaddr(self Self) *Refusal {
	u := &in.URI
	maddr, ok := u.Params.Value("maddr")
	if !ok || !self.Is(maddr, u.Port) || in.Flow.Transport != transportOf(u) || in.Flow.Local.Port() != portOf(u) {
		return nil
	}
	bare := *u
	bare.Port = 0
	bare.Params = nil
	in.scratch = bare.Append(in.scratch[:0])
	in.scratch = appendParamsWithout(in.scratch, u.Params, "maddr", "transport")
	stripped, err := sip.ParseURI(in.scratch)
	if err != nil {
		return BadTarget
	}
	in.URI = stripped
	return nil
}

// transportOf is the transport that a URI means (RFC 3261 §19.1.2: UDP for sip; RFC 5630 §3.1.4: tcp in a sips URI
// is TLS).
func transportOf(u *sip.URI) sip.Transport {
	name, ok := u.Params.Value("transport")
	transport := sip.TransportOf(name)
	switch {
	case u.Scheme == sip.SchemeSIPS && (!ok || transport == sip.TCP):
		return sip.TLS
	case !ok:
		return sip.UDP
	}
	return transport
}

func portOf(u *sip.URI) uint16 {
	if u.Port != 0 {
		return u.Port
	}
	return transportOf(u).DefaultPort()
}

// popOwn removes the topmost values of Route that name this element.
//
// RFC 3261 §16.4: the first value, if it indicates this proxy. RFC 5658 §6: one that put two values into
// Record-Route finds two.
func (in *Received) popOwn(self Self) {
	for !in.kept.empty() {
		first := &in.routes[in.kept.first].uri
		if !first.IsSIP() || leaves(first, self) || !self.Is(first.Host, first.Port) {
			return
		}
		in.took(first)
		in.kept.first++
	}
}

// took notes what a URI of our own Record-Route tells.
func (in *Received) took(u *sip.URI) {
	in.Own, in.Token = true, u.User
	if proof, ok := u.Params.Value(proofParam); ok {
		in.Proof = proof
	}
}

// Routed reports whether Route still leads somewhere else.
func (in *Received) Routed() bool { return !in.kept.empty() }

// Leaves reports whether the request goes on to another element, whatever domain its Request-URI names: Route leads
// there, or a maddr (RFC 3261 §16.5: the Request-URI is then the only target).
func (in *Received) Leaves(self Self) bool {
	return in.Routed() || leaves(&in.URI, self)
}

// leaves reports whether a URI has the maddr of another element.
func leaves(u *sip.URI, self Self) bool {
	maddr, ok := u.Params.Value("maddr")
	return ok && !self.Is(maddr, u.Port)
}

// Arrived reports whether the Request-URI names this element or a domain of its, and nothing leads elsewhere.
func (in *Received) Arrived(self Self) bool {
	return !in.Leaves(self) && self.Is(in.URI.Host, in.URI.Port)
}

// appendParamsWithout appends the parameters of a URI but for those named, which are lower-case.
func appendParamsWithout(dst []byte, p sip.URIParams, names ...string) []byte {
next:
	for name, value, rest := p.Next(); name != nil; name, value, rest = rest.Next() {
		for _, not := range names {
			if foldIs(name, not) {
				continue next
			}
		}
		dst = append(append(dst, ';'), name...)
		if value != nil {
			dst = append(append(dst, '='), value...)
		}
	}
	return dst
}
