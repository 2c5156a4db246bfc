package proxy

import (
	"bytes"
	"strconv"

	"biloxi/sip"
)

// Copy is how one copy of a received request differs from it: what the steps of RFC 3261 §16.6 put in. Its slices
// are only read.
type Copy struct {
	URI         []byte   // step 2: the Request-URI; nil: that of the Received
	MaxBreadth  uint32   // RFC 5393 §5.3.3; 0: none is written
	RecordRoute []byte   // step 4: a comma list for Record-Route; nil: none
	Routes      []byte   // step 6: a comma list that goes before the Route values left; nil: none
	Realms      [][]byte // whose Proxy-Authorization has done its work here and is not passed on (RFC 3261 §22.3)
	// KeepIdentity leaves what the request says of its sender's identity as it is (RFC 3325 §5); else it is removed, and
	// Identity, the value of a P-Asserted-Identity, is written; nil: none.
	KeepIdentity bool
	Identity     []byte
	Transport    sip.Transport // step 8: that the copy goes over
	SentBy       []byte        // step 8: host and port of ours for that transport
	Branch       []byte        // step 8: of this copy alone
}

// Append appends the copy: the received bytes with a list of edits, and all others as they were and where they
// were (RFC 3261 §16.6 step 1), the body always.
func (in *Received) Append(dst []byte, c *Copy) []byte {
	e := &in.edits
	e.reset()
	in.editVersion(e)
	in.editVia(e, c)
	in.editMaxForwards(e)
	in.editMaxBreadth(e, c.MaxBreadth)
	in.editRecordRoute(e, c.RecordRoute)
	in.editRoute(e, c)
	in.editCredentials(e, c.Realms)
	in.editIdentity(e, c)
	in.editContentLength(e, c.Transport)
	return e.append(dst, in.Bytes())
}

// editVersion has the SIP-Version leave in upper case, however it came (RFC 3261 §7.1).
func (in *Received) editVersion(e *edits) {
	v := in.Version()
	if v == nil || string(v) == version {
		return
	}
	start, from := in.Offset(v), len(e.text)
	e.text = append(e.text, version...)
	e.put(start, start+len(v), from)
}

// editVia is RFC 3261 §16.6 step 8, with what §18.2.1 has the server put into the Via that came topmost.
func (in *Received) editVia(e *edits, c *Copy) {
	top := lineSpan(in.Message, in.Index(sip.HeaderVia)).first
	from := len(e.text)
	e.text = appendVia(e.text, c.Transport, c.SentBy, c.Branch)
	e.put(top, top, from)

	raw := in.Via.Raw()
	from = len(e.text)
	e.text = in.Via.AppendReceived(e.text, in.Flow.Remote)
	if bytes.Equal(e.text[from:], raw) {
		e.text = e.text[:from]
		return
	}
	start := in.Offset(raw)
	e.put(start, start+len(raw), from)
}

// below is where a header field goes that the request had none of: behind the Vias at its top, in sight of who reads
// only the head (RFC 3261 §7.3.1).
func (in *Received) below() int {
	i := in.Index(sip.HeaderVia)
	for next := in.Next(i); next == i+1; next = in.Next(i) {
		i = next
	}
	return lineSpan(in.Message, i).end
}

// editMaxForwards is RFC 3261 §16.6 step 3.
func (in *Received) editMaxForwards(e *edits) {
	value, ok := in.Value(sip.HeaderMaxForwards)
	hops, readable := in.MaxForwards()
	if readable == sip.Malformed {
		hops = initialMaxForwards + 1
	}
	from := len(e.text)
	if !ok {
		e.text = sip.AppendFieldUint(e.text, sip.HeaderMaxForwards, initialMaxForwards)
		at := in.below()
		e.put(at, at, from)
		return
	}
	start := in.Offset(value)
	e.text = strconv.AppendUint(e.text, uint64(max(hops, 1)-1), 10)
	e.put(start, start+len(value), from)
}

// editMaxBreadth leaves one Max-Breadth in the copy (RFC 5393 §5.3.3).
func (in *Received) editMaxBreadth(e *edits, breadth uint32) {
	if breadth == 0 {
		return
	}
	i := in.Index(sip.HeaderMaxBreadth)
	from := len(e.text)
	if i < 0 {
		e.text = sip.AppendFieldUint(e.text, sip.HeaderMaxBreadth, uint64(breadth))
		at := in.below()
		e.put(at, at, from)
		return
	}
	_, _, value := in.Field(i)
	start := in.Offset(value)
	e.text = strconv.AppendUint(e.text, uint64(breadth), 10)
	e.put(start, start+len(value), from)
	for i = in.Next(i); i >= 0; i = in.Next(i) {
		line := lineSpan(in.Message, i)
		e.cut(line.first, line.end)
	}
}

// editRecordRoute is RFC 3261 §16.6 step 4: before any value that is there.
func (in *Received) editRecordRoute(e *edits, values []byte) {
	if len(values) == 0 {
		return
	}
	at := in.below()
	if i := in.Index(sip.HeaderRecordRoute); i >= 0 {
		at = lineSpan(in.Message, i).first
	}
	e.line(at, sip.HeaderRecordRoute, values)
}

// editRoute writes the Request-URI and the Route: steps 2 and 6 of RFC 3261 §16.6, and what §16.4 has taken out.
func (in *Received) editRoute(e *edits, c *Copy) {
	target := c.URI
	if target == nil {
		target = in.URI.Raw()
	}
	pushed, kept := c.Routes, in.kept
	strict := in.strictURI(pushed)
	if strict != nil {
		// RFC 3261 §16.6 step 6: to a router that is strict, its own URI goes as the Request-URI, and the
		// Request-URI as the last Route value.
		if len(pushed) > 0 {
			_, pushed, _ = sip.NextNameAddr(pushed)
			pushed = trim(pushed)
		} else {
			kept.first++
		}
		in.editRequestURI(e, strict)
	} else {
		in.editRequestURI(e, target)
	}
	in.insertRoutes(e, pushed)
	in.keepRoutes(e, kept)
	if strict == nil {
		return
	}
	at := in.routeEnd()
	from := len(e.text)
	e.text = append(e.text, "Route: <"...)
	e.text = append(e.text, target...)
	e.text = append(e.text, ">\r\n"...)
	e.put(at, at, from)
}

// strictURI is the URI of the first Route value of the copy, if that is one of a strict router, else nil.
func (in *Received) strictURI(pushed []byte) []byte {
	first, ok := in.firstRoute(pushed)
	if !ok || first.Params.Has("lr") {
		return nil
	}
	return first.Raw()
}

// firstRoute is the URI of the first Route value of the copy, false if it has none.
func (in *Received) firstRoute(pushed []byte) (first sip.URI, ok bool) {
	switch {
	case len(pushed) > 0:
		n, _, err := sip.NextNameAddr(pushed)
		return n.URI, err == nil
	case in.kept.empty():
		return first, false
	}
	return in.routes[in.kept.first].uri, true
}

func (in *Received) editRequestURI(e *edits, uri []byte) {
	old := in.RequestURI()
	if bytes.Equal(old, uri) {
		return
	}
	start, from := in.Offset(old), len(e.text)
	e.text = append(e.text, uri...)
	e.put(start, start+len(old), from)
}

// insertRoutes puts values ahead of those that are there.
func (in *Received) insertRoutes(e *edits, values []byte) {
	if len(values) == 0 {
		return
	}
	at := in.below()
	if i := in.Index(sip.HeaderRoute); i >= 0 {
		at = lineSpan(in.Message, i).first
	}
	e.line(at, sip.HeaderRoute, values)
}

// routeEnd is behind the last Route header field, or where one would stand.
func (in *Received) routeEnd() int {
	if len(in.routes) == 0 {
		return in.below()
	}
	return lineSpan(in.Message, in.routes[len(in.routes)-1].line).end
}

// keepRoutes removes all Route values but those kept. What is kept of a line stands together, so that only its ends
// are cut.
func (in *Received) keepRoutes(e *edits, kept span) {
	for first := 0; first < len(in.routes); {
		end := first + 1
		for end < len(in.routes) && in.routes[end].line == in.routes[first].line {
			end++
		}
		from, to := max(first, kept.first), min(end, kept.end)
		switch {
		case from >= to:
			line := lineSpan(in.Message, in.routes[first].line)
			e.cut(line.first, line.end)
		default:
			if from > first {
				e.cut(in.routes[first].start, in.routes[from].start)
			}
			if to < end {
				e.cut(in.routes[to-1].end, in.routes[end-1].end)
			}
		}
		first = end
	}
}

// editCredentials removes the credentials of our own realms. RFC 3261 §22.3: what another realm asked for goes on.
func (in *Received) editCredentials(e *edits, realms [][]byte) {
	if len(realms) == 0 {
		return
	}
	for i := in.Index(sip.HeaderProxyAuthorization); i >= 0; i = in.Next(i) {
		c, digest, err := in.Credentials(i)
		if err == nil && digest && isOneOf(c.Realm, realms) {
			line := lineSpan(in.Message, i)
			e.cut(line.first, line.end)
		}
	}
}

func isOneOf(realm []byte, realms [][]byte) bool {
	for _, own := range realms {
		if bytes.Equal(realm, own) {
			return true
		}
	}
	return false
}

// editContentLength is RFC 3261 §16.6 step 9.
func (in *Received) editContentLength(e *edits, transport sip.Transport) {
	if !transport.Reliable() || in.Has(sip.HeaderContentLength) {
		return
	}
	at, from := lineSpan(in.Message, in.Len()-1).end, len(e.text)
	e.text = sip.AppendFieldUint(e.text, sip.HeaderContentLength, uint64(len(in.Body())))
	e.put(at, at, from)
}

// trim returns b without white space at its ends.
func trim(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }
