package sip

import "bytes"

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
// error. A parameter that stands twice with two values, or a value with no end, is an error; what is no parameter, or
// one that nobody knows, is passed over.
func ParseCredentials(b []byte) (c Credentials, digest bool, err error) {
	digest, at, reason := c.parse(b)
	if reason != "" {
		err = &SyntaxError{Header: HeaderAuthorization, Offset: at, Reason: reason}
	}
	return c, digest, err
}

// Credentials reads the credentials of header field i, an Authorization or Proxy-Authorization. The
// offset of an error is that in the message.
func (m *Message) Credentials(i int) (c Credentials, digest bool, err error) {
	f := &m.fields[i]
	value := m.slice(f)
	digest, at, reason := c.parse(value)
	if reason != "" {
		err = m.within(f.header, value, at, reason)
	}
	return c, digest, err
}

// parse reads a value into c, which is zero.
func (c *Credentials) parse(b []byte) (digest bool, at int, reason string) {
	p, ok := digestParams(b)
	if !ok {
		return false, 0, ""
	}
	for p.i < len(b) {
		at := p.i
		name, value, reason := p.next()
		if reason != "" {
			return true, at, reason
		}
		field := c.field(name)
		if field == nil {
			continue
		}
		if *field != nil && !bytes.Equal(*field, value) {
			return true, at, reasonDuplicate
		}
		*field = value
	}
	return true, 0, ""
}

// field is where the parameter of that name goes, nil for one that is not known.
func (c *Credentials) field(name []byte) *[]byte {
	switch {
	case foldIs(name, "username"):
		return &c.Username
	case foldIs(name, "realm"):
		return &c.Realm
	case foldIs(name, "nonce"):
		return &c.Nonce
	case foldIs(name, "uri"):
		return &c.URI
	case foldIs(name, "response"):
		return &c.Response
	case foldIs(name, "algorithm"):
		return &c.Algorithm
	case foldIs(name, "cnonce"):
		return &c.CNonce
	case foldIs(name, "opaque"):
		return &c.Opaque
	case foldIs(name, "qop"):
		return &c.QOP
	case foldIs(name, "nc"):
		return &c.NC
	case foldIs(name, "userhash"):
		return &c.UserHash
	}
	return nil
}

// Append appends the value, scheme first. What is nil is left out.
func (c *Credentials) Append(dst []byte) []byte {
	w := authWriter{dst: append(dst, "Digest "...)}
	w.quoted("username", c.Username)
	w.quoted("realm", c.Realm)
	w.quoted("nonce", c.Nonce)
	w.quoted("uri", c.URI)
	w.quoted("response", c.Response)
	w.token("algorithm", c.Algorithm)
	w.quoted("cnonce", c.CNonce)
	w.quoted("opaque", c.Opaque)
	w.token("qop", c.QOP)
	w.token("nc", c.NC)
	w.token("userhash", c.UserHash)
	return w.dst
}
