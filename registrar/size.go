package registrar

import (
	"biloxi/location"
	"biloxi/sip"
)

// fit refuses what checkSize refuses. Bindings whose connections have closed count for nothing: they go first.
func (reg *Registration) fit(rec *location.Record) *refusal {
	why := reg.checkSize(rec)
	for why != nil {
		i := reg.mostDispensable(rec, noUse)
		if i < 0 {
			return why
		}
		reg.displaced = append(reg.displaced, i)
		why = reg.checkSize(rec)
	}
	return nil
}

// checkSize refuses what would make the record larger than an AOR's may be, or its list of contacts too long for a
// datagram. It is asked before anything is written.
func (reg *Registration) checkSize(rec *location.Record) *refusal {
	before, answer := 0, reg.prepared+len("\r\n\r\nContent-Length: 0")
	for i := range rec.Bindings {
		// Tombstones are left out, so that a phone that comes back meets no limit because of them: the store bounds
		// their number.
		if b := &rec.Bindings[i]; !b.Removed {
			before += bindingSize(b)
			answer += contactOverhead + len(b.Contact) + len(b.Params)
		}
	}
	after := before
	for _, i := range reg.displaced {
		b := &rec.Bindings[i]
		after -= bindingSize(b)
		answer -= contactOverhead + len(b.Contact) + len(b.Params)
	}
	for i := range reg.contacts {
		c := &reg.contacts[i]
		if c.at >= 0 && !rec.Bindings[c.at].Removed {
			b := &rec.Bindings[c.at]
			after -= bindingSize(b)
			answer -= contactOverhead + len(b.Contact) + len(b.Params)
		}
		if c.granted > 0 {
			after += reg.contactSize(c)
			answer += contactOverhead + len(c.uri.Raw()) + len(c.params)
		}
	}
	switch {
	case after > before && after > reg.registrar.maxRecord:
		// What was larger before, under a higher limit, may be refreshed and become smaller.
		return recordTooLarge
	case reg.flow.Transport == sip.UDP && answer > maxDatagram:
		return answerTooLarge
	}
	return nil
}

// bindingSize is what a binding takes in a store, in bytes, to within a few.
func bindingSize(b *location.Binding) int {
	return bindingOverhead + len(b.Contact) + len(b.Params) + len(b.Writer.CallID) + len(b.Path) + len(b.Instance) + len(b.UserAgent)
}

// contactSize is what the binding of a contact will take.
func (reg *Registration) contactSize(c *contact) int {
	return bindingOverhead + len(c.uri.Raw()) + len(c.params) + len(reg.writer.CallID) + len(reg.path) + len(c.instance) + len(reg.userAgent)
}

// brief returns what a tombstone keeps of a text: enough to know it again.
func (reg *Registration) brief(text []byte, most int) []byte {
	if len(text) <= most {
		return text
	}
	start := len(reg.scratch)
	reg.scratch = location.AppendFingerprint(reg.scratch, text)
	return reg.scratch[start:len(reg.scratch):len(reg.scratch)]
}

func (reg *Registration) briefWriter(w location.Writer) location.Writer {
	w.CallID = reg.brief(w.CallID, briefCallID)
	return w
}
