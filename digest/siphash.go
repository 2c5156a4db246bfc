package digest

import (
	"encoding/binary"
	"math/bits"
)

// sipKey keys SipHash (Aumasson and Bernstein, 2012), a message authentication code that is fast on short
// messages. It makes a nonce's code, and the fingerprint by which a request is known again: the standard
// library's fast hash is not meant to stand up to someone who chooses the bytes.
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

// print is SipHash-1-3 with 64 bits: enough for what never leaves the process, at half the cost.
func (k sipKey) print(b []byte) uint64 {
	s := k.begin()
	v0, v1, v2, v3 := s.v0, s.v1, s.v2, s.v3
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		m := binary.LittleEndian.Uint64(b)
		v3 ^= m
		// A round, written out: a request has a hundred, and the compiler makes a call of the method.
		v0 += v1
		v1 = bits.RotateLeft64(v1, 13) ^ v0
		v0 = bits.RotateLeft64(v0, 32)
		v2 += v3
		v3 = bits.RotateLeft64(v3, 16) ^ v2
		v0 += v3
		v3 = bits.RotateLeft64(v3, 21) ^ v0
		v2 += v1
		v1 = bits.RotateLeft64(v1, 17) ^ v2
		v2 = bits.RotateLeft64(v2, 32)
		v0 ^= m
	}
	s = sipState{v0, v1, v2, v3}
	m := lastWord(b, n)
	s.v3 ^= m
	s = s.round()
	s.v0 ^= m

	s.v2 ^= 0xff
	s = s.round().round().round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
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
