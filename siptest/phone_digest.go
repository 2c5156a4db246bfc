package siptest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"

	"biloxi/sip"
)

// Challenge is what a phone reads in a Digest challenge. Its code is its own, so that a fault in package
// digest does not agree with itself.
type Challenge struct {
	Realm, Nonce, Opaque, Algorithm, QOP string // as they stand, without quotes; empty if there is none
	Stale                                bool

	header string // that an agent answers it in
}

func (r *Response) challenge() (Challenge, bool) {
	for _, c := range r.Challenges() {
		return c, true
	}
	return Challenge{}, false
}

// Challenges returns the Digest challenges of a 401, in their order.
func (r *Response) Challenges() []Challenge {
	var list []Challenge
	for _, v := range r.Values("WWW-Authenticate") {
		c, digest, err := sip.ParseChallenge([]byte(v))
		if err != nil {
			r.T.Fatalf("challenge %q: %v", v, err)
		}
		if digest {
			list = append(list, Challenge{string(c.Realm), string(c.Nonce), string(c.Opaque), string(c.Algorithm),
				string(c.QOP), strings.EqualFold(string(c.Stale), "true"), ""})
		}
	}
	return list
}

// Credentials says how a phone answers a challenge. The zero value does as RFC 7616 has it, with qop
// auth; fields change one thing each.
type Credentials struct {
	Username string // else the phone's user
	Password string // else the phone's password
	Realm    string // else the challenge's
	Nonce    string // else the challenge's
	URI      string // else the Request-URI
	Response string // else computed
	NoQOP    bool   // the form of RFC 2069
	QOP      string // else auth
	Count    uint32 // else the next
	More     string // parameters to append, with their comma

	NoAlgorithm bool // leave algorithm out, which means MD5
}

// Credentials returns an edit that answers the phone's challenge as c says.
func (p *Phone) Credentials(c Credentials) Edit {
	return func(r *Request) {
		r.credentials = []func(*Request) string{func(r *Request) string { return "Authorization: " + c.authorization(p, r) }}
	}
}

// Answer takes a challenge for the one to answer from now on.
func (p *Phone) Answer(c Challenge) {
	if c.Nonce != p.challenge.Nonce {
		p.count = 0
	}
	p.challenge = c
}

// Challenge is the challenge that the phone answers.
func (p *Phone) Challenge() Challenge { return p.challenge }

// Authorization is the value that answers the phone's challenge for a request without a body.
func (p *Phone) Authorization(method, uri string) string {
	return Credentials{}.authorization(p, &Request{Method: method, URI: uri})
}

// NoCredentials takes the credentials off.
func NoCredentials() Edit { return func(r *Request) { r.credentials = nil } }

func authorized(p *Phone) Edit { return p.Credentials(Credentials{}) }

func (c Credentials) authorization(p *Phone, r *Request) string {
	or := func(a, b string) string {
		if a != "" {
			return a
		}
		return b
	}
	ch := p.challenge
	user, realm, nonce, uri := or(c.Username, p.User), or(c.Realm, ch.Realm), or(c.Nonce, ch.Nonce), or(c.URI, r.URI)
	ha1 := Hash(ch.Algorithm, user+":"+realm+":"+or(c.Password, p.Password))
	qop := or(c.QOP, "auth")
	a2 := r.Method + ":" + uri
	if qop == "auth-int" {
		a2 += ":" + Hash(ch.Algorithm, r.Body)
	}
	ha2 := Hash(ch.Algorithm, a2)
	v := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, realm, nonce, uri)
	if ch.Algorithm != "" && !c.NoAlgorithm {
		v += ", algorithm=" + ch.Algorithm
	}
	if ch.Opaque != "" {
		v += `, opaque="` + ch.Opaque + `"`
	}
	if c.NoQOP {
		return v + fmt.Sprintf(`, response="%s"`, or(c.Response, Hash(ch.Algorithm, ha1+":"+nonce+":"+ha2))) + c.More
	}
	count := c.Count
	if count == 0 {
		p.count++
		count = p.count
	}
	cnonce := Token()
	response := Hash(ch.Algorithm, fmt.Sprintf("%s:%s:%08x:%s:%s:%s", ha1, nonce, count, cnonce, qop, ha2))
	return v + fmt.Sprintf(`, response="%s", qop=%s, nc=%08x, cnonce="%s"`, or(c.Response, response), qop, count, cnonce) + c.More
}

// Hash is H of RFC 7616 §3.3 in lower-case hex digits; no algorithm is MD5.
func Hash(algorithm, text string) string {
	switch algorithm {
	case "SHA-256":
		h := sha256.Sum256([]byte(text))
		return hex.EncodeToString(h[:])
	case "SHA-512-256":
		h := sha512.Sum512_256([]byte(text))
		return hex.EncodeToString(h[:])
	}
	h := md5.Sum([]byte(text))
	return hex.EncodeToString(h[:])
}
