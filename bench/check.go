package bench

import (
	"bytes"

	"biloxi/sip"
)

// fault is what can be wrong with an answer, or with a request to one of the tool's phones.
type fault uint8

const (
	faultNone fault = iota
	faultSyntax
	faultStatus
	faultVia
	faultCallID
	faultCSeq
	faultFrom
	faultTo
	faultContact
	faultRequest
	faultACK
	faultConnection
	faultCount
)

var faultNames = [faultCount]string{"", "malformed", "status", "Via", "Call-ID", "CSeq", "From", "To", "Contact",
	"forwarded request", "lost ACK", "lost connection"}

// check compares an answer with its request (RFC 3261 §8.2.6.2, §8.1.3.3).
func (w *worker) check(l *lane, m *sip.Message) fault {
	vias := m.Vias()
	if !vias.Next() || vias.Next() {
		return faultVia // the topmost is ours, as it was found by it
	}
	if !bytes.Equal(m.CallID(), l.part(l.callID)) {
		return faultCallID
	}
	if c, err := m.CSeq(); err != nil || c.Number != l.cseq || string(c.Method) != string(l.part(l.method)) {
		return faultCSeq
	}
	if from, _ := m.Value(sip.HeaderFrom); !bytes.Equal(from, l.part(l.from)) {
		return faultFrom
	}
	value, _ := m.Value(sip.HeaderTo)
	if !bytes.HasPrefix(value, l.part(l.to)) {
		return faultTo
	}
	if to, err := m.To(); err != nil || len(to.Tag()) == 0 && m.StatusCode() > 100 {
		return faultTo
	}
	return faultNone
}

// checkContacts looks for the contact that was registered, with a lifetime that was asked for or less
// (RFC 3261 §10.3 step 8).
func (w *worker) checkContacts(l *lane, m *sip.Message) fault {
	contacts := m.Values(sip.HeaderContact)
	found := false
	for contacts.Next() {
		if w.isContact(contacts.URI.Raw(), l.user.name) {
			seconds, p := contacts.Expires()
			found = p == sip.Present && seconds > 0 && seconds <= w.config.Expires
		}
	}
	if contacts.Err() != nil || found == (l.step == stepClear) {
		return faultContact
	}
	return faultNone
}

// isContact reports whether a URI is the contact that the user registers.
func (w *worker) isContact(uri []byte, name string) bool {
	rest, ok := bytes.CutPrefix(uri, []byte("sip:"))
	return ok && len(rest) == len(name)+len(w.parts.contact) && string(rest[:len(name)]) == name &&
		bytes.Equal(rest[len(name):], w.parts.contact)
}
