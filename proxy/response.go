package proxy

import (
	"biloxi/sip"
)

// AppendPopped appends a response without its topmost Via value (RFC 3261 §16.7 steps 3 and 9). Nothing else changes,
// but that one without a Content-Length gets it: a phone may leave it out of a datagram, and the caller is on a stream
// perhaps (§18.3). False if no Via is left: the response was meant for this element and goes nowhere.
func AppendPopped(dst []byte, resp *sip.Message) ([]byte, bool) {
	top, ok := topVia(resp)
	if !ok {
		return dst, false
	}
	b := resp.Bytes()
	dst = append(dst, b[:top.first]...)
	if resp.Has(sip.HeaderContentLength) {
		return append(dst, b[top.end:]...), true
	}
	last := lineSpan(resp, resp.Len()-1).end
	dst = append(dst, b[top.end:last]...)
	dst = sip.AppendFieldUint(dst, sip.HeaderContentLength, uint64(len(resp.Body())))
	return append(dst, b[last:]...), true
}

// GoesOn reports whether a response has a Via below the topmost: without one it is meant for this element, and of what
// this element forwards nothing can be (RFC 3261 §16.7 step 3).
func GoesOn(resp *sip.Message) bool {
	_, ok := topVia(resp)
	return ok
}

// topVia is where the topmost Via value stands, with what parts it from the next: its whole line, or up to the next
// value in it. False if there is no next one.
func topVia(resp *sip.Message) (span, bool) {
	i := resp.Index(sip.HeaderVia)
	if i < 0 {
		return span{}, false
	}
	_, rest, err := resp.TopVia()
	if err != nil {
		return span{}, false
	}
	if rest == nil {
		return lineSpan(resp, i), resp.Next(i) >= 0
	}
	next := resp.Offset(rest)
	for b := resp.Bytes(); b[next] == ' ' || b[next] == '\t' || b[next] == '\r' || b[next] == '\n'; {
		next++
	}
	_, _, value := resp.Field(i)
	return span{resp.Offset(value), next}, true
}
