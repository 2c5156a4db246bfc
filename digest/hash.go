package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"sync"

	"biloxi/sip"
)

// scratch is the memory of one check, used again by the next.
type scratch struct {
	ha1 [32]byte
	buf []byte

	// The A2 that was hashed last, since most requests have that of the one before: all phones of a domain
	// register with one URI.
	a2     [maxA2]byte
	a2Size int // 0: none
	a2Of   sip.Algorithm
	a2Hash [32]byte
}

var scratches = sync.Pool{New: func() any { return &scratch{buf: make([]byte, 0, 512)} }}

func borrow() *scratch { return scratches.Get().(*scratch) }

func (s *scratch) release() {
	if cap(s.buf) <= maxScratch {
		scratches.Put(s)
	}
}

// sum is the hash of b, in the first a.Size() bytes.
func sum(a sip.Algorithm, b []byte) (d [32]byte) {
	switch a {
	case sip.MD5:
		h := md5.Sum(b)
		copy(d[:], h[:])
	case sip.SHA256:
		d = sha256.Sum256(b)
	case sip.SHA512_256:
		d = sha512.Sum512_256(b)
	}
	return d
}

// appendSum appends the hash of b in hex digits, as digests stand inside other digests.
func appendSum(dst []byte, a sip.Algorithm, b []byte) []byte {
	d := sum(a, b)
	return hex.AppendEncode(dst, d[:a.Size()])
}

// HA1 fills the first a.Size() bytes of ha1 with H(A1) of a user (RFC 7616 §3.4.2). An algorithm that is
// none leaves it as it is.
//
// Username and realm are text. The hash covers them as they stand between the quotes of credentials,
// where a quote or backslash has a backslash before it.
func HA1(a sip.Algorithm, username, realm, password []byte, ha1 *[32]byte) {
	if a.Size() == 0 {
		return
	}
	s := borrow()
	defer s.release()
	s.buf = appendEscaped(s.buf[:0], username)
	s.buf = append(s.buf, ':')
	s.buf = appendEscaped(s.buf, realm)
	s.buf = append(s.buf, ':')
	s.buf = append(s.buf, password...)
	d := sum(a, s.buf)
	copy(ha1[:a.Size()], d[:])
}

// The values of qop (RFC 7616 §3.3).
const (
	qopAuth    = "auth"
	qopAuthInt = "auth-int"
)

// answer is what a response is computed over, beside H(A1); text values with their escapes.
type answer struct {
	algorithm  sip.Algorithm
	method     sip.Method
	uri, nonce []byte
	qop        []byte // nil: the form of RFC 2069
	integrity  bool   // qop is auth-int
	nc, cnonce []byte
	body       []byte
}

// response computes the response for s.ha1 (RFC 7616 §3.4.1, RFC 2617 §3.2.2.1), in the first
// algorithm.Size() bytes.
func (s *scratch) response(in *answer) [32]byte {
	// RFC 7616 §3.4.3: A2, with the hash of the body for auth-int; that of an empty one if there is none
	// (RFC 8760 §2.6 item 7).
	b := append(s.buf[:0], in.method...)
	b = append(b, ':')
	b = append(b, in.uri...)
	if in.integrity {
		b = append(b, ':')
		b = appendSum(b, in.algorithm, in.body)
	}
	a2 := s.hashA2(in.algorithm, b)

	b = hex.AppendEncode(b[:0], s.ha1[:in.algorithm.Size()])
	b = append(b, ':')
	b = append(b, in.nonce...)
	b = append(b, ':')
	if in.qop != nil {
		b = append(b, in.nc...)
		b = append(b, ':')
		b = append(b, in.cnonce...)
		b = append(b, ':')
		b = append(b, in.qop...)
		b = append(b, ':')
	}
	b = hex.AppendEncode(b, a2[:in.algorithm.Size()])
	s.buf = b
	return sum(in.algorithm, b)
}

// hashA2 is the hash of an A2.
func (s *scratch) hashA2(a sip.Algorithm, a2 []byte) [32]byte {
	if a == s.a2Of && string(a2) == string(s.a2[:s.a2Size]) {
		return s.a2Hash
	}
	d := sum(a, a2)
	if len(a2) <= maxA2 {
		s.a2Size, s.a2Of, s.a2Hash = copy(s.a2[:], a2), a, d
	}
	return d
}
