package registrar

import (
	"bytes"

	"biloxi/sip"
)

// merge makes one contact of those that are one binding, in whatever order they stand, or refuses them.
//
// A contact that stands twice, with equal parameters, is one. Of a flow (RFC 5626 §6), whose binding is the same
// whatever its URI, what is registered stands over what is removed: a phone whose address has changed sends its
// new contact and the old one with an expiry of 0, both with its reg-id.
//
// Any other two are refused. RFC 3261 §10.3 step 7 taken by the letter comes to the same: the second finds the
// CSeq of the first, which is not lower than its own.
func (reg *Registration) merge() *refusal {
	if len(reg.contacts) < 2 {
		return nil
	}
	kept := reg.contacts[:0]
	for i := range reg.contacts {
		c := reg.contacts[i]
		switch same := sameIn(kept, &c); {
		case same == nil:
			kept = append(kept, c)
		case c.regID != 0 && c.granted == 0:
		case c.regID != 0 && same.granted == 0:
			*same = c
		case !c.repeats(same):
			return contactTwice
		}
	}
	reg.contacts = kept
	return nil
}

// sameIn returns the contact in a list that is the same binding as c, nil if there is none.
func sameIn(list []contact, c *contact) *contact {
	for i := range list {
		if list[i].same(c) {
			return &list[i]
		}
	}
	return nil
}

// repeats reports whether a contact says no more than another with the same URI.
func (c *contact) repeats(d *contact) bool {
	switch {
	case c.granted != d.granted || !c.uri.Equal(d.uri) || !bytes.EqualFold(c.uri.Raw(), d.uri.Raw()):
		return false
	case c.granted == 0:
		return true
	}
	return c.q == d.q && c.hasQ == d.hasQ && sameParams(c.params, d.params)
}

// sameParams compares the parameters of two contacts, in any order; their names stand once.
func sameParams(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) != len(b) || bytes.Count(a, []byte{';'}) > maxComparedParams {
		return false
	}
	for name, value, rest := sip.Params(a).Next(); name != nil; name, value, rest = rest.Next() {
		if !hasParam(b, name, value) {
			return false
		}
	}
	return true
}

func hasParam(params sip.Params, name, value []byte) bool {
	for n, v, rest := params.Next(); n != nil; n, v, rest = rest.Next() {
		if bytes.EqualFold(n, name) {
			return bytes.Equal(v, value)
		}
	}
	return false
}
