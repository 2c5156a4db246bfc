package sip

// Challenge is the value of WWW-Authenticate or Proxy-Authenticate with the Digest scheme (RFC 3261
// §20.44, RFC 7616 §3.3). Text values are without their quotes but with their escapes.
type Challenge struct {
	Realm     []byte
	Domain    []byte
	Nonce     []byte
	Opaque    []byte
	Stale     []byte
	Algorithm []byte // nil if there is none: MD5
	QOP       []byte // a comma list; nil if there is none
	Charset   []byte
	UserHash  []byte
}

// ParseChallenge reads a challenge value. Another scheme than Digest gives digest false and no error. A
// parameter that stands twice, or a value with no end, is an error.
func ParseChallenge(b []byte) (c Challenge, digest bool, err error) {
	p, ok := digestParams(b)
	if !ok {
		return c, false, nil
	}
	for p.i < len(b) {
		at := p.i
		name, value, reason := p.next()
		if field := c.field(name); reason == "" && field != nil {
			if *field != nil {
				reason = reasonDuplicate
			}
			*field = value
		}
		if reason != "" {
			return c, true, &SyntaxError{Header: HeaderWWWAuthenticate, Offset: at, Reason: reason}
		}
	}
	return c, true, nil
}

// field is where the parameter of that name goes, nil for one that is not known.
func (c *Challenge) field(name []byte) *[]byte {
	switch {
	case foldIs(name, "realm"):
		return &c.Realm
	case foldIs(name, "domain"):
		return &c.Domain
	case foldIs(name, "nonce"):
		return &c.Nonce
	case foldIs(name, "opaque"):
		return &c.Opaque
	case foldIs(name, "stale"):
		return &c.Stale
	case foldIs(name, "algorithm"):
		return &c.Algorithm
	case foldIs(name, "qop"):
		return &c.QOP
	case foldIs(name, "charset"):
		return &c.Charset
	case foldIs(name, "userhash"):
		return &c.UserHash
	}
	return nil
}

// Append appends the value, scheme first. What is nil is left out.
func (c *Challenge) Append(dst []byte) []byte {
	w := authWriter{dst: append(dst, "Digest "...)}
	w.quoted("realm", c.Realm)
	w.quoted("domain", c.Domain)
	w.quoted("nonce", c.Nonce)
	w.quoted("opaque", c.Opaque)
	w.token("stale", c.Stale)
	w.token("algorithm", c.Algorithm)
	w.quoted("qop", c.QOP)
	w.token("charset", c.Charset)
	w.token("userhash", c.UserHash)
	return w.dst
}
