package registrar

import (
	"bytes"

	"biloxi/location"
	"biloxi/sip"
)

// contact is one Contact value of a REGISTER.
type contact struct {
	uri        sip.URI
	params     []byte // its own parameters as they are stored
	expires    []byte // value of its expires parameter
	hasParam   bool   // it has an expires parameter
	hasQ       bool
	q          sip.Q
	granted    uint32                         // seconds; 0: to be removed
	instance   []byte                         // +sip.instance without its quotes; nil if there is none
	regID      uint32                         // 0: none, or none that counts
	givenRegID uint32                         // 0: none
	print      [location.FingerprintSize]byte // of uri, once printed
	printed    bool
	at         int // set by Apply: index of the binding that it is, -1 if there is none
}

// readContacts reads all Contact values. RFC 3261 §10.3 step 6: "*" stands alone, with Expires: 0.
func (reg *Registration) readContacts(req *sip.Request) *refusal {
	switch req.Star() {
	case sip.MixedStar:
		return starAlone
	case sip.LoneStar:
		if seconds, ok := headerExpires(req); !ok || seconds != 0 {
			return starExpires
		}
		reg.star = true
		return nil
	}
	values := req.Values(sip.HeaderContact)
	for values.Next() {
		if len(reg.contacts) == maxRequestContacts {
			return tooManyAtOnce
		}
		reg.contacts = append(reg.contacts, contact{})
		c := &reg.contacts[len(reg.contacts)-1]
		if why := reg.readContact(c, &values.NameAddr); why != nil {
			return why
		}
	}
	if reg.Err = values.Err(); reg.Err != nil || len(reg.contacts) == 0 {
		return contactMalformed
	}
	return nil
}

// readContact reads what a binding stores of a Contact value.
func (reg *Registration) readContact(c *contact, n *sip.NameAddr) *refusal {
	c.uri = n.URI
	if len(c.uri.Raw()) > maxContactURI || uriParts(&c.uri) > maxContactURIParts {
		return uriTooLong
	}
	c.q = 1000
	start := len(reg.scratch)
	for name, value, rest := n.Params.Next(); name != nil; name, value, rest = rest.Next() {
		keep, ok := c.readParam(name, value)
		if !ok {
			return qMalformed
		}
		if keep {
			reg.keepParam(name, value)
		}
		if len(reg.scratch)-start > maxContactParams {
			return paramsTooLong
		}
	}
	if end := len(reg.scratch); end > start {
		c.params = reg.scratch[start:end:end]
	}
	// RFC 5626 §6: a reg-id without an instance is ignored.
	if c.instance == nil {
		c.regID = 0
	}
	return nil
}

// uriParts is how many parameters and headers a URI has.
func uriParts(u *sip.URI) (n int) {
	if n = bytes.Count(u.Params, []byte{';'}); len(u.Headers) > 0 {
		n += 1 + bytes.Count(u.Headers, []byte{'&'})
	}
	return n
}

// keepParam keeps a parameter as it is shown to all phones of the user: what should have stood in quotes does.
func (reg *Registration) keepParam(name, value []byte) {
	reg.scratch = sip.AppendParam(reg.scratch, name, value)
}

// readParam reads a parameter that has a meaning here; none stands twice. expires and q are not kept with the
// others: they are shown from the binding. Not ok: a q that is no qvalue, which is refused, because a guess
// would change the order of a user's phones; one that is empty says nothing.
func (c *contact) readParam(name, value []byte) (keep, ok bool) {
	switch {
	case nameIs(name, "expires"):
		c.expires, c.hasParam = value, true
		return false, true
	case nameIs(name, "q"):
		if len(value) == 0 {
			return false, true
		}
		c.q, c.hasQ = sip.ParseQ(value)
		return false, c.hasQ
	case nameIs(name, "+sip.instance"):
		// RFC 5626 §4.1: a quoted string that holds a URN in <>; some leave the quotes out.
		switch n := len(value); {
		case n > 2 && value[0] == '"' && !isFolded(value):
			c.instance = value[1 : n-1]
		case n > 2 && value[0] == '<':
			c.instance = value
		}
	case nameIs(name, "reg-id"):
		// RFC 5626 §10: 1*DIGIT, not 0 and below 2^31; any other is none.
		if id, ok := sip.ParseDeltaSeconds(value); ok && id <= maxRegID {
			c.regID, c.givenRegID = id, id
		}
	}
	return true, true
}

// nameIs compares a name without its case with one in lower case.
func nameIs(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}
