package bench

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"

	"biloxi/digest"
	"biloxi/sip"
)

// login is what all challenges of a server have in common; what differs, the nonce, is each user's.
type login struct {
	serial    uint32 // counts the realms and algorithms that were seen; 0: none yet
	header    string // Authorization or Proxy-Authorization
	realm     []byte // as it stands between quotes
	text      []byte // the realm without escapes
	algorithm sip.Algorithm
	named     bool // the challenge names its algorithm
	qop       bool
	serials   *uint32
	buf       []byte
}

// take reads the first challenge that can be answered (RFC 8760 §2.4) and gives its nonce to the user;
// false if there is none.
func (l *login) take(m *sip.Message, u *user) bool {
	h := sip.HeaderWWWAuthenticate
	l.header = "Authorization"
	if u.proxy = m.StatusCode() == 407; u.proxy {
		h = sip.HeaderProxyAuthenticate
		l.header = "Proxy-Authorization"
	}
	for i := m.Index(h); i >= 0; i = m.Next(i) {
		_, _, value := m.Field(i)
		ch, isDigest, err := sip.ParseChallenge(value)
		if err != nil || !isDigest || !digest.CanAnswer(ch) || len(ch.Nonce)+len(ch.Opaque) > maxNonce {
			continue
		}
		if ch.QOP != nil && !bytes.Contains(ch.QOP, []byte("auth")) {
			continue
		}
		l.learn(&ch)
		u.nonce = append(u.nonce[:0], ch.Nonce...)
		u.opaque = len(u.nonce)
		u.nonce = append(u.nonce, ch.Opaque...)
		u.nc = 0
		return true
	}
	return false
}

// learn notes realm and algorithm; when they are others than before, all HA1s are computed again.
func (l *login) learn(ch *sip.Challenge) {
	algorithm := sip.MD5
	if ch.Algorithm != nil {
		algorithm = sip.AlgorithmOf(ch.Algorithm)
	}
	l.named, l.qop = ch.Algorithm != nil, ch.QOP != nil
	if l.serial != 0 && algorithm == l.algorithm && bytes.Equal(ch.Realm, l.realm) {
		return
	}
	*l.serials++
	l.serial, l.algorithm = *l.serials, algorithm
	l.realm = append(l.realm[:0], ch.Realm...)
	l.text = sip.Unquote(l.text[:0], append(append([]byte{'"'}, ch.Realm...), '"'))
}

// appendAuthorization appends the user's credentials for a request (RFC 7616 §3.4), with the next nonce
// count.
func (l *login) appendAuthorization(dst []byte, u *user, method sip.Method, uri, cnonce []byte) []byte {
	if u.ha1Of != l.serial {
		digest.HA1(l.algorithm, []byte(u.username), l.text, []byte(u.password), &u.ha1)
		u.ha1Of = l.serial
	}
	u.nc++
	b := append(l.buf[:0], method...)
	b = append(b, ':')
	b = append(b, uri...)
	a2 := l.sum(b)
	n := l.algorithm.Size()
	b = hex.AppendEncode(b[:0], u.ha1[:n])
	b = append(b, ':')
	b = append(b, u.nonce[:u.opaque]...)
	b = append(b, ':')
	if l.qop {
		b = appendHex(b, uint64(u.nc), 8)
		b = append(b, ':')
		b = append(b, cnonce...)
		b = append(b, ":auth:"...)
	}
	b = hex.AppendEncode(b, a2[:n])
	l.buf = b
	response := l.sum(b)

	dst = append(dst, l.header...)
	dst = append(dst, ": Digest username=\""...)
	dst = append(dst, u.username...)
	dst = append(dst, "\", realm=\""...)
	dst = append(dst, l.realm...)
	dst = append(dst, "\", nonce=\""...)
	dst = append(dst, u.nonce[:u.opaque]...)
	dst = append(dst, "\", uri=\""...)
	dst = append(dst, uri...)
	dst = append(dst, "\", response=\""...)
	dst = hex.AppendEncode(dst, response[:n])
	dst = append(dst, '"')
	if l.named {
		dst = append(dst, ", algorithm="...)
		dst = append(dst, l.algorithm.String()...)
	}
	if l.qop {
		dst = append(dst, ", qop=auth, nc="...)
		dst = appendHex(dst, uint64(u.nc), 8)
		dst = append(dst, ", cnonce=\""...)
		dst = append(dst, cnonce...)
		dst = append(dst, '"')
	}
	if u.opaque < len(u.nonce) {
		dst = append(dst, ", opaque=\""...)
		dst = append(dst, u.nonce[u.opaque:]...)
		dst = append(dst, '"')
	}
	return append(dst, "\r\n"...)
}

// sum is the hash of b, in the first bytes.
func (l *login) sum(b []byte) (d [32]byte) {
	switch l.algorithm {
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

const hexDigits = "0123456789abcdef"

// appendHex appends n in so many hex digits.
func appendHex(dst []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[n>>shift&15])
	}
	return dst
}

// parseHex reads lower-case hex digits.
func parseHex(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
