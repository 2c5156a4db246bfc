package proxy

import (
	"bytes"

	"biloxi/sip"
)

// version is the SIP-Version of all that leaves. RFC 3261 §7.1: it is read without its case, and sent in upper case.
const version = "SIP/2.0"

// AppendPopped appends a response without its topmost Via value (RFC 3261 §16.7 steps 3 and 9). Nothing else changes,
// but that the SIP-Version is in upper case, that what stands twice in the same words where one may stand does once, and
// that one without a Content-Length gets it: a phone may leave it out of a datagram, and the caller is on a stream perhaps
// (§18.3). False if no Via is left: the response was meant for this element and goes nowhere.
func AppendPopped(dst []byte, resp *sip.Message) ([]byte, bool) {
	top, ok := topVia(resp)
	if !ok {
		return dst, false
	}
	b := resp.Bytes()
	if twice(resp) {
		return appendOnce(dst, resp, top), true
	}
	start := len(dst)
	dst = append(dst, b[:top.first]...)
	copy(dst[start:], version)
	if resp.Has(sip.HeaderContentLength) {
		return append(dst, b[top.end:]...), true
	}
	last := lineSpan(resp, resp.Len()-1).end
	dst = append(dst, b[top.end:last]...)
	dst = sip.AppendFieldUint(dst, sip.HeaderContentLength, uint64(len(resp.Body())))
	return append(dst, b[last:]...), true
}

// single are the header fields by which a response is matched and bounded: who gets it may refuse one that has two of one
// (RFC 3261 §7.3.1).
var single = [...]sip.Header{sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq, sip.HeaderContentLength}

func twice(resp *sip.Message) bool {
	for _, h := range single {
		if i := resp.Index(h); i >= 0 && resp.Next(i) >= 0 {
			return true
		}
	}
	return false
}

// appendOnce is AppendPopped for a response in which something stands twice that may stand once.
func appendOnce(dst []byte, resp *sip.Message, top span) []byte {
	var e edits
	e.cut(top.first, top.end)
	for _, h := range single {
		i := resp.Index(h)
		if i < 0 {
			continue
		}
		for i = resp.Next(i); i >= 0; i = resp.Next(i) {
			line := lineSpan(resp, i)
			e.cut(line.first, line.end)
		}
	}
	if !resp.Has(sip.HeaderContentLength) {
		e.text = sip.AppendFieldUint(e.text, sip.HeaderContentLength, uint64(len(resp.Body())))
		at := lineSpan(resp, resp.Len()-1).end
		e.put(at, at, 0)
	}
	start := len(dst)
	dst = e.append(dst, resp.Bytes())
	copy(dst[start:], version)
	return dst
}

// Damage is what keeps a response from being passed on to who sent the request with that branch, and empty if nothing does.
// nil is a branch that is not known, or none. What is not named here is not judged: it is for who gets the response to read.
//
// RFC 3261 §16.7: a proxy needs its own Via, and that the next one is left as it was, for by that the response is matched
// upstream (§17.1.3); and RFC 3261 §8.2.6.2 has the four fields in each response that say what it belongs to.
func Damage(resp *sip.Message, branch []byte) string {
	switch {
	case !resp.Version20():
		return "another SIP-Version"
	case !resp.Bounded():
		return "where it ends is not known"
	}
	for _, h := range single {
		i := resp.Index(h)
		if i < 0 && h != sip.HeaderContentLength {
			return "it has no " + h.String()
		}
		if i >= 0 && resp.Next(i) >= 0 && h != sip.HeaderContentLength && !repeated(resp, i) {
			return h.String() + " stands twice"
		}
	}
	below, ok := viaBelow(resp)
	if !ok {
		return "the Via of who asked is missing or broken"
	}
	if branch != nil && !bytes.EqualFold(below.Branch(), branch) {
		return "the Via is not that of who asked"
	}
	return ""
}

// repeated reports whether all header fields of one kind are the same as the first.
func repeated(resp *sip.Message, first int) bool {
	_, _, value := resp.Field(first)
	for i := resp.Next(first); i >= 0; i = resp.Next(i) {
		if _, _, other := resp.Field(i); !bytes.Equal(other, value) {
			return false
		}
	}
	return true
}

// viaBelow is the Via below the topmost; false if there is none, or it cannot be read.
func viaBelow(resp *sip.Message) (sip.Via, bool) {
	_, rest, err := resp.TopVia()
	if err != nil {
		return sip.Via{}, false
	}
	if rest == nil {
		next := resp.Next(resp.Index(sip.HeaderVia))
		if next < 0 {
			return sip.Via{}, false
		}
		_, _, rest = resp.Field(next)
	}
	below, _, err := sip.NextVia(rest)
	return below, err == nil
}

// GoesOn reports whether a response has a Via below the topmost: without one it is meant for this element, and of what
// this element forwards nothing can be (RFC 3261 §16.7 step 3).
func GoesOn(resp *sip.Message) bool {
	_, ok := topVia(resp)
	return ok
}

// OwnBranch is the first branch in b that is made as those of this element are, nil if there is none: what is left of a
// response that cannot be read. A branch cannot be guessed, so that only one who was sent the request has it.
func OwnBranch(b []byte) []byte {
	for {
		at := bytes.Index(b, []byte(sip.MagicCookie))
		if at < 0 || len(b)-at < branchLength {
			return nil
		}
		b = b[at:]
		if _, ok := branchHash(b[:branchLength]); ok {
			return b[:branchLength:branchLength]
		}
		b = b[len(sip.MagicCookie):]
	}
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
