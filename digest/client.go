package digest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"biloxi/sip"
)

// CanAnswer reports whether AppendAuthorization can answer a challenge. Of several for one realm a client
// takes the first that it can answer, and passes over the others (RFC 8760 §2.4).
func CanAnswer(ch sip.Challenge) bool {
	_, ok := chooseQOP(ch.QOP)
	return ok && algorithmOf(ch.Algorithm) != sip.NoAlgorithm && ch.Realm != nil && ch.Nonce != nil
}

// AppendAuthorization appends a client's answer to a challenge as a header field with its CRLF: h is
// Authorization for a 401, Proxy-Authorization for a 407. A challenge that it cannot answer leaves dst as
// it is.
//
// The URI is the Request-URI. Username and password are text. The nonce count nc is 1 for the first
// request with the challenge's nonce and one more for each that follows; cnonce is random text that needs
// no escapes. The body counts if the challenge offers qop auth-int alone; with auth, that is taken.
func AppendAuthorization(dst []byte, h sip.Header, method sip.Method, uri []byte, ch sip.Challenge,
	username, password []byte, nc uint32, cnonce []byte, body []byte) []byte {
	if !CanAnswer(ch) {
		return dst
	}
	s := borrow()
	defer s.release()
	in := answer{algorithm: algorithmOf(ch.Algorithm), method: method, uri: uri, nonce: ch.Nonce, cnonce: cnonce, body: body}
	// RFC 3261 §22.4 item 8: qop in the challenge must be answered by qop.
	if qop, _ := chooseQOP(ch.QOP); qop != "" {
		in.qop, in.integrity = []byte(qop), qop == qopAuthInt
		in.nc = hex.AppendEncode(nil, binary.BigEndian.AppendUint32(nil, nc))
	}
	HA1(in.algorithm, username, unescaped(ch.Realm), password, &s.ha1)
	response := s.response(&in)

	dst = append(dst, h.String()...)
	dst = append(dst, ": Digest username="...)
	dst = sip.AppendQuoted(dst, username)
	dst = appendQuotedRaw(dst, "realm", ch.Realm)
	dst = appendQuotedRaw(dst, "nonce", ch.Nonce)
	dst = appendQuotedRaw(dst, "uri", uri)
	dst = append(dst, `, response="`...)
	dst = hex.AppendEncode(dst, response[:in.algorithm.Size()])
	dst = append(dst, '"')
	if ch.Algorithm != nil {
		dst = append(dst, ", algorithm="...)
		dst = append(dst, in.algorithm.String()...)
	}
	if in.qop != nil {
		dst = append(dst, ", qop="...)
		dst = append(dst, in.qop...)
		dst = append(dst, ", nc="...)
		dst = append(dst, in.nc...)
		dst = appendQuotedRaw(dst, "cnonce", cnonce)
	}
	if ch.Opaque != nil {
		dst = appendQuotedRaw(dst, "opaque", ch.Opaque)
	}
	return append(dst, "\r\n"...)
}

// appendQuotedRaw appends a parameter whose value has its escapes already.
func appendQuotedRaw(dst []byte, name string, value []byte) []byte {
	dst = append(dst, ", "...)
	dst = append(dst, name...)
	dst = append(dst, `="`...)
	dst = append(dst, value...)
	return append(dst, '"')
}

// chooseQOP takes one of the challenge's list: auth if it is there, else auth-int, empty if there is no
// list; !ok if there is neither.
func chooseQOP(list []byte) (qop string, ok bool) {
	if list == nil {
		return "", true
	}
	for token := range bytes.SplitSeq(list, []byte(",")) {
		switch token = bytes.TrimSpace(token); {
		case isWord(token, qopAuth):
			return qopAuth, true
		case isWord(token, qopAuthInt):
			qop, ok = qopAuthInt, true
		}
	}
	return qop, ok
}
