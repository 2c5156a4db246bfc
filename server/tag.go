package server

import (
	"bytes"
	"encoding/binary"
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
	var branch []byte
	if v, _, err := m.TopVia(); err == nil {
		branch = v.Branch()
	}
	return t.appendFor(dst, m, branch)
}

// appendFor is append where the branch of the topmost Via has been read; nil: there is none.
func (t tagger) appendFor(dst []byte, m *sip.Message, branch []byte) []byte {
	callID, _ := m.Value(sip.HeaderCallID)
	from, _ := m.Value(sip.HeaderFrom)
	number, _ := m.Value(sip.HeaderCSeq)
	end := 0
	for end < len(number) && number[end] > ' ' {
		end++
	}
	// A hash of the hashes: to hash each where it stands is several times as fast as to bring them together.
	var sums [4 * 8]byte
	for i, part := range [...][]byte{callID, from, number[:end], branch} {
		binary.LittleEndian.PutUint64(sums[8*i:], maphash.Bytes(t.seed, part))
	}
	var tag [8]byte
	binary.LittleEndian.PutUint64(tag[:], maphash.Bytes(t.seed, sums[:]))
	return hex.AppendEncode(dst, tag[:])
}

// toTag is the To tag of the responses to x's request.
func (x *exchange) toTag() []byte {
	switch {
	case len(x.tag) > 0:
	case x.decoded:
		x.tag = x.server.tagger.appendFor(x.tag, &x.msg, x.req.Via.Branch())
	default:
		x.tag = x.server.tagger.append(x.tag, &x.msg)
	}
	return x.tag
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
