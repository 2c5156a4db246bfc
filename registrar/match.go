package registrar

import (
	"bytes"

	"biloxi/location"
	"biloxi/sip"
)

// likeness says how well a binding and a contact fit.
type likeness uint8

const (
	unlike likeness = iota
	equal           // by the rules of comparison
	exact           // in every byte as well
)

// like compares a contact with a binding. RFC 5626 §6: by instance and reg-id where both count, whatever
// the URI; two of which one is by reg-id and the other is not are never the same binding. RFC 3261 §10.3
// step 7: else by URI, as §19.1.4 compares them.
func (c *contact) like(b *location.Binding) likeness {
	if c.regID != b.RegID {
		return unlike
	}
	if c.regID != 0 {
		if sameInstance(c.instance, b.Instance) || location.IsFingerprint(b.Instance) && location.StandsFor(b.Instance, c.instance) {
			return exact
		}
		return unlike
	}
	if bytes.Equal(c.uri.Raw(), b.Contact) {
		return exact
	}
	if location.IsFingerprint(b.Contact) {
		if bytes.Equal(c.fingerprint(), b.Contact) {
			return exact
		}
		return unlike
	}
	uri, err := sip.ParseURI(b.Contact)
	if err != nil || !c.uri.Equal(uri) {
		return unlike
	}
	return equal
}

// fingerprint is that of the URI. It is made once: each Contact is compared with each tombstone.
func (c *contact) fingerprint() []byte {
	if !c.printed {
		location.AppendFingerprint(c.print[:0], c.uri.Raw())
		c.printed = true
	}
	return c.print[:]
}

// same reports whether two contacts of one request are one binding.
func (c *contact) same(d *contact) bool {
	if c.regID != d.regID {
		return false
	}
	if c.regID != 0 {
		return sameInstance(c.instance, d.instance)
	}
	return c.uri.Equal(d.uri)
}
