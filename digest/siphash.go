package digest

import (
	"encoding/binary"
	"math/bits"
)

// sipKey keys SipHash (Aumasson and Bernstein, 2012), a message authentication code that is fast on short
// messages: the standard library's fast hash is not meant to stand up to someone who chooses the bytes.
type sipKey struct{ k0, k1 uint64 }

func newSipKey(b []byte) sipKey {
	return sipKey{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// code is SipHash-2-4 with 128 bits; each half is a code of 64 bits.
func (k sipKey) code(b []byte) (lo, hi uint64) {
	s := k.begin()
	s.v1 ^= 0xee
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		m := binary.LittleEndian.Uint64(b)
		s.v3 ^= m
		s = s.round().round()
		s.v0 ^= m
	}
	m := lastWord(b, n)
	s.v3 ^= m
	s = s.round().round()
	s.v0 ^= m

	s.v2 ^= 0xee
	s = s.round().round().round().round()
	lo = s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	s.v1 ^= 0xdd
	s = s.round().round().round().round()
	return lo, s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// lastWord is what is left of a message in 8 bytes with its length.
func lastWord(b []byte, length int) uint64 {
	m := uint64(length) << 56
	for i, c := range b {
		m |= uint64(c) << (8 * i)
	}
	return m
}

type sipState struct{ v0, v1, v2, v3 uint64 }

func (k sipKey) begin() sipState {
	return sipState{
		k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d,
		k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573,
	}
}

func (s sipState) round() sipState {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
	return s
}
