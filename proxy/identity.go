package proxy

import (
	"bytes"

	"biloxi/sip"
)

// identityHeaders are what tells a phone who calls, or who answered, on the word of the network (RFC 3325). The last is
// the older draft of it, which many phones show just so.
var identityHeaders = [...]sip.Header{sip.HeaderPAssertedIdentity, sip.HeaderPPreferredIdentity, sip.HeaderRemotePartyID}

// HasIdentity reports whether a message says who sent it on the word of the network.
func HasIdentity(m *sip.Message) bool {
	return m.Has(sip.HeaderPAssertedIdentity) || m.Has(sip.HeaderPPreferredIdentity) || m.Has(sip.HeaderRemotePartyID)
}

// WantsPrivacy reports whether the sender of a message wants its asserted identity kept from whom we do not trust (RFC
// 3325 §9.3).
func WantsPrivacy(m *sip.Message) bool {
	for i := m.Index(sip.HeaderPrivacy); i >= 0; i = m.Next(i) {
		_, _, value := m.Field(i)
		for len(value) > 0 {
			// RFC 3323 §4.2: values are parted by semicolons.
			one, rest, _ := bytes.Cut(value, []byte(";"))
			if foldIs(trim(one), "id") {
				return true
			}
			value = rest
		}
	}
	return false
}

// editIdentity removes what a request says of its sender's identity, and writes what we say instead; nothing if that is
// nil.
func (in *Received) editIdentity(e *edits, c *Copy) {
	if c.KeepIdentity {
		return
	}
	for _, h := range identityHeaders {
		for i := in.Index(h); i >= 0; i = in.Next(i) {
			line := lineSpan(in.Message, i)
			e.cut(line.first, line.end)
		}
	}
	if c.Identity != nil {
		e.line(in.below(), sip.HeaderPAssertedIdentity, c.Identity)
	}
}

// CutIdentity removes from b, the copy of a response that is passed on, what the response says of its sender's
// identity, and returns what is left of b.
func CutIdentity(b []byte) []byte {
	at := bytes.Index(b, crlf2) // the start-line
	for at >= 0 && at+2 < len(b) {
		line := b[at+2:]
		size := lineLength(line)
		if size <= 2 {
			break // the end of the head
		}
		name, _, _ := bytes.Cut(line[:size], []byte(":"))
		if isIdentity(sip.HeaderOf(trim(name))) {
			b = append(b[:at+2], line[size:]...)
			continue
		}
		at += size
	}
	return b
}

var crlf2 = []byte("\r\n")

// lineLength is the length of a header field with those lines that continue it and its CRLF (RFC 3261 §7.3.1).
func lineLength(b []byte) int {
	for size := 0; ; {
		i := bytes.Index(b[size:], crlf2)
		if i < 0 {
			return len(b)
		}
		size += i + 2
		if size == len(b) || size == 2 || b[size] != ' ' && b[size] != '\t' {
			return size
		}
	}
}

func isIdentity(h sip.Header) bool {
	for _, one := range identityHeaders {
		if h == one {
			return true
		}
	}
	return false
}
