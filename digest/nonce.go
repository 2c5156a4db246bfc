package digest

import (
	"encoding/base64"
	"encoding/binary"
)

// A nonce is 24 bytes in base64url: when it was made (6 bytes, milliseconds since the epoch), which it is
// (6 bytes, a counter), and a code over both and the realm (12 bytes), which nobody else can make.
const (
	stampSize  = 12
	codeSize   = 12
	nonceSize  = stampSize + codeSize
	nonceChars = nonceSize / 3 * 4
)

// mint is what a nonce says once its code has been found right.
type mint struct {
	at  uint64 // milliseconds since the epoch, not 0
	key uint64 // of the nonce: 64 bits of its code
}

// appendNonce appends a new nonce of the realm.
//
// RFC 7616 §3.3, §5.9: it cannot be foreseen, as its code is keyed, and it differs from every other.
func (a *Authenticator) appendNonce(dst []byte, s *scratch, clock uint64, realm []byte) []byte {
	var n [nonceSize]byte
	putUint48(n[:], clock)
	putUint48(n[6:], a.minted.Add(1))
	lo, hi := a.code(s, n[:stampSize], realm)
	binary.LittleEndian.PutUint64(n[stampSize:], lo)
	binary.LittleEndian.PutUint32(n[stampSize+8:], uint32(hi))
	return base64.RawURLEncoding.AppendEncode(dst, n[:])
}

// openNonce reads a nonce that a client sent; ok if this Authenticator made it for the realm.
func (a *Authenticator) openNonce(s *scratch, text, realm []byte) (m mint, ok bool) {
	if len(text) != nonceChars {
		return m, false
	}
	var n [nonceSize]byte
	if got, err := base64.RawURLEncoding.Decode(n[:], text); err != nil || got != nonceSize {
		return m, false
	}
	lo, hi := a.code(s, n[:stampSize], realm)
	wrong := lo ^ binary.LittleEndian.Uint64(n[stampSize:]) |
		uint64(uint32(hi)^binary.LittleEndian.Uint32(n[stampSize+8:]))
	return mint{at: uint48(n[:]), key: lo}, wrong == 0
}

// code is the message authentication code of a stamp and a realm.
func (a *Authenticator) code(s *scratch, stamp, realm []byte) (lo, hi uint64) {
	s.buf = append(s.buf[:0], stamp...)
	s.buf = append(s.buf, realm...)
	return a.nonceKey.code(s.buf)
}

func putUint48(b []byte, n uint64) {
	binary.BigEndian.PutUint16(b, uint16(n>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(n))
}

func uint48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}
