package proxy

import (
	"hash/crc32"
	"hash/maphash"
	"strings"

	"biloxi/sip"
)

// A branch of ours is the magic cookie, how many branches there may be beyond this one, a part that is unique, a dot,
// and the loop hash (RFC 5393 §4.2.1: a branch in two parts).
const (
	leftDigits   = 2  // of five bits each
	uniqueDigits = 18 // of five bits each
	hashDigits   = 8  // of four bits each
	branchLength = len(sip.MagicCookie) + leftDigits + uniqueDigits + 1 + hashDigits
)

// branchDigits are characters of a token that differ in more than their case, since branches are compared
// without it.
const branchDigits = "0123456789abcdefghijklmnopqrstuv"

// AppendBranch appends a branch that no other request has (RFC 3261 §16.6 step 8): each attempt at each target
// has its own. Nobody can foresee it, and so nobody can answer a request that they have not seen. left is how many
// branches there may be beyond it.
func (p *Proxy) AppendBranch(dst []byte, in *Received, left uint32) []byte {
	return in.appendBranch(dst, left, p.random(), p.random())
}

// AppendStatelessBranch appends the branch of a request that is forwarded without a transaction: an ACK for a
// 2xx, a CANCEL of something unknown. The same request sent again has the same.
//
// RFC 3261 §16.11: a function of the received branch; of a request without the magic cookie, of what else
// tells transactions apart. The method is no part of it (§16.6 step 8).
func (p *Proxy) AppendStatelessBranch(dst []byte, in *Received) []byte {
	var parts [2]uint64
	for i := range parts {
		var h maphash.Hash
		h.SetSeed(p.seeds[i])
		for _, part := range in.identity() {
			h.Write(part)
			h.WriteByte(0)
		}
		parts[i] = h.Sum64()
	}
	return in.appendBranch(dst, 0, parts[0], parts[1])
}

// identity are the fields of which one differs between two transactions.
func (in *Received) identity() [6][]byte {
	via, branch := in.Via.Raw(), in.Via.Branch()
	if len(branch) > len(sip.MagicCookie) && foldIs(branch[:len(sip.MagicCookie)], "z9hg4bk") {
		return [6][]byte{branch, in.Via.Host}
	}
	n := in.CSeq.Number
	return [6][]byte{via, in.To.Tag(), in.From.Tag(), in.CallID(), {byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)},
		in.RequestURI()}
}

func (in *Received) appendBranch(dst []byte, left uint32, a, b uint64) []byte {
	dst = append(dst, sip.MagicCookie...)
	dst = append(dst, branchDigits[left>>5&31], branchDigits[left&31])
	for i := range uniqueDigits {
		if i == 12 {
			a = b
		}
		dst = append(dst, branchDigits[a&31])
		a >>= 5
	}
	dst = append(dst, '.')
	for h, i := in.loopHash(), 0; i < hashDigits; i++ {
		dst = append(dst, branchDigits[h>>28])
		h <<= 4
	}
	return dst
}

// Castagnoli's polynomial is the one that RFC 5393 §4.2.4 names, and processors compute it.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// loopHash is the second part of a branch (RFC 5393 §4.2.1): it depends on all that says where the request goes, and
// not on the method. That is the address-of-record where the location service decides, of which each user could write
// any number of Request-URIs; else the Request-URI and Route as they came, and the server's Selector. Call-ID and CSeq
// are in it so that two requests which meet by chance do not always meet (§4.2.4).
func (in *Received) loopHash() (h uint32) {
	if in.AOR != nil {
		h = crc32.Update(h, castagnoli, in.AOR)
	} else {
		h = crc32.Update(h, castagnoli, in.RequestURI())
		for i := range in.routes {
			h = crc32.Update(crc32.Update(h, castagnoli, zero), castagnoli, in.routeBytes(i))
		}
	}
	n := in.CSeq.Number
	in.scratchNumber = [...]byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	h = crc32.Update(h, castagnoli, in.scratchNumber[:])
	h = crc32.Update(h, castagnoli, in.CallID())
	h = crc32.Update(h, castagnoli, zero)
	return crc32.Update(h, castagnoli, in.Selector)
}

// zero parts what is hashed.
var zero = []byte{0}

// Looped reports whether the request has been here with nothing changed that decides where it goes: the answer
// is [Loop]. A request that came back changed is a spiral and goes on.
//
// RFC 5393 §4.1 wants this before a request is forked; §4.2.2: each Via value with a sent-by of ours is looked
// at. Values that others wrote in ways that we cannot read end the search, and are no error.
func (in *Received) Looped(self Self) bool {
	computed := false
	var hash uint32
	for vias := in.Vias(); vias.Next(); {
		received, ok := branchHash(vias.Branch())
		if !ok || !self.Is(vias.Host, vias.Port) {
			continue
		}
		if !computed {
			hash, computed = in.loopHash(), true
		}
		if received == hash {
			return true
		}
	}
	return false
}

// Branches is how many branches may be made of the request, here and beyond: MaxBranches, or what was left to the branch
// that it comes back by. It is 0 if none is left to it: the answer is [TooBroad].
//
// RFC 5393 §5 bounds how many there are at a time. One after another, by way of others, there would be exponentially
// many; a Via of ours, which others pass on, has what is left.
func (in *Received) Branches(self Self) uint32 {
	most := uint32(MaxBranches)
	for vias := in.Vias(); vias.Next(); {
		branch := vias.Branch()
		if _, ok := branchHash(branch); !ok || !self.Is(vias.Host, vias.Port) {
			continue
		}
		left := uint32(0)
		for _, c := range branch[len(sip.MagicCookie):][:leftDigits] {
			left = left<<5 | uint32(max(strings.IndexByte(branchDigits, c), 0))
		}
		most = min(most, left)
	}
	return most
}

// branchHash is the loop hash in a branch; false if the branch is not made as ours are.
func branchHash(branch []byte) (hash uint32, ok bool) {
	if len(branch) != branchLength || branch[branchLength-hashDigits-1] != '.' {
		return 0, false
	}
	for _, c := range branch[branchLength-hashDigits:] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return 0, false
		}
		hash = hash<<4 | uint32(c)
	}
	return hash, true
}

// appendVia appends a Via header field of ours.
func appendVia(dst []byte, transport sip.Transport, sentBy, branch []byte) []byte {
	dst = append(dst, "Via: SIP/2.0/"...)
	dst = append(dst, transport.String()...)
	dst = append(append(dst, ' '), sentBy...)
	dst = append(append(dst, ";branch="...), branch...)
	return append(dst, "\r\n"...)
}
