package server

import (
	"bytes"
	"encoding/hex"
	"hash/maphash"

	"biloxi/sip"
)

// tagger makes To tags that are the same for a request and its retransmissions, though nothing is kept
// (RFC 3261 §8.2.7), and that nobody else can foretell (§19.3). The CANCEL of a request, and the ACK of an INVITE that
// did not succeed, have the same Via and CSeq number, and so the same tag: §9.2 wants that of the CANCEL, and the ACK
// is known by it.
type tagger struct{ seed maphash.Seed }

func newTagger() tagger { return tagger{maphash.MakeSeed()} }

// append appends the To tag for a request: 64 bits in hex.
func (t tagger) append(dst []byte, m *sip.Message) []byte {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, header := range [...]sip.Header{sip.HeaderCallID, sip.HeaderFrom} {
		v, _ := m.Value(header)
		h.Write(v)
		h.WriteByte(0)
	}
	number, _ := m.Value(sip.HeaderCSeq)
	if i := bytes.IndexAny(number, " \t\r\n"); i >= 0 {
		number = number[:i]
	}
	h.Write(number)
	h.WriteByte(0)
	if v, err := m.Via(); err == nil {
		h.Write(v.Branch())
	}
	var sum [8]byte
	n := h.Sum64()
	for i := range sum {
		sum[i] = byte(n >> (8 * i))
	}
	return hex.AppendEncode(dst, sum[:])
}

// branchHash is what a binding remembers of the Via of the request that wrote it. It is the same in
// every process, since it is kept on disk; a sender that makes two branches collide fools only itself.
func branchHash(v sip.Via) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	n := uint64(offset)
	for _, part := range [...][]byte{v.Branch(), v.Host} {
		for _, c := range part {
			n = (n ^ uint64(c)) * prime
		}
		n = (n ^ 0xff) * prime
	}
	return n ^ uint64(v.Port)
}

// made reports whether the To tag of a request is the one that we gave in a response to what it belongs to.
func (t tagger) made(m *sip.Message, tag []byte) bool {
	var buf [16]byte
	return bytes.Equal(tag, t.append(buf[:0], m))
}
