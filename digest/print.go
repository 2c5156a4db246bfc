package digest

import (
	"encoding/binary"
	"math/bits"

	"biloxi/sip"
)

// printKey keys the fingerprint by which a request is known again. It never leaves the process.
//
// It is a fast hash of each block of the request, NH of UMAC (Black and others, 1999), and SipHash over these.
// Nobody can make two blocks of one NH, but by a chance of 1 in 2^64, who has not seen the key or what comes
// of it; SipHash alone would take twice as long.
type printKey struct {
	words [printBlock / 8]uint64
	sip   sipKey
}

// printBlock is the size of a block in bytes.
const printBlock = 128

func newPrintKey(b []byte) (k printKey) {
	k.sip = newSipKey(b)
	for i := 0; i < len(k.words); i += 2 {
		k.words[i], k.words[i+1] = k.sip.code([]byte{byte(i)})
	}
	return k
}

// print is the fingerprint of a request's bytes that came over a flow. The same bytes from another source, or on
// another connection, have another: whoever has overheard a request is not answered as its sender is.
//
// RFC 3261 §17.1.2.2: a client sends a request again from where it sent it first.
func (k *printKey) print(b []byte, from sip.Flow) uint64 {
	s := k.sip.begin()
	n := uint64(len(b))
	for ; len(b) >= printBlock; b = b[printBlock:] {
		s = s.add(k.nh((*[printBlock]byte)(b)))
	}
	var last [printBlock]byte // what is left, and zeros, which the length tells from a request's
	copy(last[:], b)
	addr := from.Remote.Addr().As16()
	s = s.add(binary.LittleEndian.Uint64(addr[:]), binary.LittleEndian.Uint64(addr[8:]))
	s = s.add(uint64(from.Remote.Port())<<8|uint64(from.Transport), from.Serial)
	return s.add(k.nh(&last)).add(n, 0).end()
}

// nh is the NH of a block: the sum of the products of its words, two by two, with the key's word added to each.
func (k *printKey) nh(b *[printBlock]byte) (hi, lo uint64) {
	for i := 0; i < len(k.words); i += 2 {
		h, l := bits.Mul64(binary.LittleEndian.Uint64(b[8*i:])+k.words[i],
			binary.LittleEndian.Uint64(b[8*i+8:])+k.words[i+1])
		var carry uint64
		lo, carry = bits.Add64(lo, l, 0)
		hi, _ = bits.Add64(hi, h, carry)
	}
	return hi, lo
}

// add adds two words to a message of SipHash-1-3.
func (s sipState) add(a, b uint64) sipState {
	s.v3 ^= a
	s = s.round()
	s.v0 ^= a
	s.v3 ^= b
	s = s.round()
	s.v0 ^= b
	return s
}

// end is the 64-bit code of SipHash-1-3.
func (s sipState) end() uint64 {
	s.v2 ^= 0xff
	s = s.round().round().round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}
