package sip

// Credentials is the value of Authorization or Proxy-Authorization with the Digest scheme (RFC 3261
// §20.7, RFC 7616 §3.4). Text values are without their quotes but with their escapes, as the digest is
// computed over them.
type Credentials struct {
	Username  []byte
	Realm     []byte
	Nonce     []byte
	URI       []byte
	Response  []byte // hex digits
	Algorithm []byte // nil if there is none: MD5
	CNonce    []byte
	Opaque    []byte
	QOP       []byte // nil if there is none: the form of RFC 2069; quotes around it are tolerated
	NC        []byte // 8 hex digits, nil if there is none
	UserHash  []byte // RFC 7616 §3.4.4
}

// ParseCredentials reads a credentials value. Another scheme than Digest gives digest false and no
// error. A parameter that stands twice, or a value with no end, is an error.
func ParseCredentials(b []byte) (c Credentials, digest bool, err error) {
	digest, at, reason := c.parse(b)
	if reason != "" {
		err = &SyntaxError{Header: HeaderAuthorization, Offset: at, Reason: reason}
	}
	return c, digest, err
}

func (c *Credentials) parse(b []byte) (digest bool, at int, reason string) {
	p, ok := digestParams(b)
	if !ok {
		return false, 0, ""
	}
	for len(p.rest) > 0 {
		name, value, reason := p.next()
		if reason != "" {
			return true, len(b) - len(p.rest), reason
		}
		var to *[]byte
		switch {
		case foldIs(name, "username"):
			to = &c.Username
		case foldIs(name, "realm"):
			to = &c.Realm
		case foldIs(name, "nonce"):
			to = &c.Nonce
		case foldIs(name, "uri"):
			to = &c.URI
		case foldIs(name, "response"):
			to = &c.Response
		case foldIs(name, "algorithm"):
			to = &c.Algorithm
		case foldIs(name, "cnonce"):
			to = &c.CNonce
		case foldIs(name, "opaque"):
			to = &c.Opaque
		case foldIs(name, "qop"):
			to = &c.QOP
		case foldIs(name, "nc"):
			to = &c.NC
		case foldIs(name, "userhash"):
			to = &c.UserHash
		default:
			continue
		}
		if *to != nil {
			return true, len(b) - len(p.rest), "a parameter stands twice"
		}
		*to = value
	}
	return true, 0, ""
}

// Challenge is the value of WWW-Authenticate or Proxy-Authenticate with the Digest scheme (RFC 3261
// §20.44, RFC 7616 §3.3). Text values are without their quotes.
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

// ParseChallenge reads a challenge value. Another scheme than Digest gives digest false and no error.
func ParseChallenge(b []byte) (c Challenge, digest bool, err error) {
	p, ok := digestParams(b)
	if !ok {
		return c, false, nil
	}
	for len(p.rest) > 0 {
		name, value, reason := p.next()
		if reason != "" {
			return c, true, &SyntaxError{Header: HeaderWWWAuthenticate, Offset: len(b) - len(p.rest), Reason: reason}
		}
		switch {
		case foldIs(name, "realm"):
			c.Realm = value
		case foldIs(name, "domain"):
			c.Domain = value
		case foldIs(name, "nonce"):
			c.Nonce = value
		case foldIs(name, "opaque"):
			c.Opaque = value
		case foldIs(name, "stale"):
			c.Stale = value
		case foldIs(name, "algorithm"):
			c.Algorithm = value
		case foldIs(name, "qop"):
			c.QOP = value
		case foldIs(name, "charset"):
			c.Charset = value
		case foldIs(name, "userhash"):
			c.UserHash = value
		}
	}
	return c, true, nil
}

// authParams walks auth-param *(COMMA auth-param).
type authParams struct{ rest []byte }

// digestParams cuts the scheme Digest off.
func digestParams(b []byte) (p authParams, ok bool) {
	i := skipLWS(b, 0)
	end := skipToken(b, i)
	if !foldIs(b[i:end], "digest") || end == len(b) || !is(b[end], classLWS) {
		return p, false
	}
	return authParams{b[skipLWS(b, end):]}, true
}

func (p *authParams) next() (name, value []byte, reason string) {
	b := p.rest
	end := skipToken(b, 0)
	i := skipLWS(b, end)
	if end == 0 || i == len(b) || b[i] != '=' {
		return nil, nil, "not a name, = and value"
	}
	name = b[:end]
	i = skipLWS(b, i+1)
	if i < len(b) && b[i] == '"' {
		if end = skipQuoted(b, i); end < 0 {
			return nil, nil, "a quoted string has no end"
		}
		value = b[i+1 : end-1]
	} else {
		// A token; some clients leave the quotes off a URI or a nonce, so all up to the comma is taken.
		for end = i; end < len(b) && b[end] != ',' && !is(b[end], classLWS) && b[end] != '"'; end++ {
		}
		if end == i {
			return nil, nil, "a parameter has no value"
		}
		value = b[i:end]
	}
	i = skipLWS(b, end)
	if i == len(b) {
		p.rest = nil
		return name, value, ""
	}
	if b[i] != ',' {
		return nil, nil, "no comma between parameters"
	}
	p.rest = b[skipLWS(b, i+1):]
	return name, value, ""
}
