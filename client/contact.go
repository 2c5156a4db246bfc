package client

import (
	"errors"
	"fmt"
	"time"

	"biloxi/sip"
)

// Contact is one value of a Contact header field, of a request or of an answer (RFC 3261 §20.10).
type Contact struct {
	URI        string        // without < and >
	Expires    time.Duration // in whole seconds on the wire
	HasExpires bool          // an expires parameter is there; of an answer, or an Expires header field
	Q          sip.Q         // in thousandths
	HasQ       bool
	Params     string // all other parameters, from the first semicolon; empty if there are none
}

// ParseContact reads a contact as a person writes it: a URI alone, which may hold parameters of its own,
// or a name-addr with parameters of the contact behind it: <sip:bob@192.0.2.4>;q=0.7;expires=60.
func ParseContact(s string) (Contact, error) {
	if hasControl(s) {
		return Contact{}, errControl
	}
	// A URI alone keeps its parameters, against RFC 3261 §20.10: that rule is for the wire, and what a
	// person means by sip:bob@host;transport=tcp is the URI.
	if u, err := sip.ParseURI([]byte(s)); err == nil {
		return Contact{URI: string(u.Raw())}, nil
	}
	n, err := sip.ParseNameAddr([]byte(s))
	if err != nil {
		return Contact{}, fmt.Errorf("contact %q: %w", printable(s), err)
	}
	return contactOf(n)
}

// contactOf takes a value apart. The result holds no bytes of n.
func contactOf(n sip.NameAddr) (Contact, error) {
	c := Contact{URI: string(n.URI.Raw()), Params: string(n.Params.AppendWithout(nil, "expires", "q"))}
	if v, ok := n.Params.Value("expires"); ok {
		seconds, ok := sip.ParseDeltaSeconds(v)
		if !ok {
			return c, errors.New("a Contact's expires is not a number of seconds")
		}
		c.Expires, c.HasExpires = sip.Seconds(seconds), true
	}
	if v, ok := n.Params.Value("q"); ok {
		q, ok := sip.ParseQ(v)
		if !ok {
			return c, errors.New("a Contact's q is not a number from 0 to 1")
		}
		c.Q, c.HasQ = q, true
	}
	return c, nil
}

// Append appends the contact as name-addr with its parameters.
func (c Contact) Append(dst []byte) []byte {
	dst = append(dst, '<')
	dst = append(dst, c.URI...)
	dst = append(dst, '>')
	if c.HasQ {
		dst = c.Q.Append(append(dst, ";q="...))
	}
	if c.HasExpires {
		dst = appendSeconds(append(dst, ";expires="...), c.Expires)
	}
	return append(dst, c.Params...)
}
