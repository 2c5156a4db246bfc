package transaction

import (
	"hash/maphash"

	"biloxi/sip"
)

// key is what a transaction is found by: 123 bits of a keyed hash of what RFC 3261 §17.1.3 or §17.2.3 has compared
// but for the method, which is the last five bits. Nobody outside can know the hash of anything, and that two
// meet by chance is out of the question.
type key struct{ a, b uint64 }

const methodBits = 5

// methods are those that have a number of their own in a key: its index and 1. The ones that a proxy sees most
// stand first. The hash of any other method is part of the key's hash.
var methods = [...]sip.Method{sip.Invite, sip.Bye, sip.MESSAGE, sip.Options, sip.Cancel, sip.Subscribe, sip.Notify,
	sip.Prack, sip.Info, sip.Update, sip.Refer, sip.Publish, sip.Register}

func methodNumber(m sip.Method) uint64 {
	for i, known := range methods {
		if m == known {
			return uint64(i) + 1
		}
	}
	return 0
}

// of is the key of the transaction of that method which k's request would belong to.
func (k key) of(m sip.Method) key { return k.numbered(methodNumber(m)) }

func (k key) numbered(method uint64) key {
	k.b = k.b&^(1<<methodBits-1) | method
	return k
}

// matcher makes keys.
type matcher struct{ a, b maphash.Seed }

func newMatcher() matcher { return matcher{maphash.MakeSeed(), maphash.MakeSeed()} }

// room is how long what is hashed mostly is.
const room = 256

func (x *matcher) key(b []byte, m sip.Method) key {
	number := methodNumber(m)
	if number == 0 {
		b = append(b, m...)
	}
	return key{maphash.Bytes(x.a, b), maphash.Bytes(x.b, b)}.numbered(number)
}

// client is the key of a client transaction. RFC 3261 §17.1.3: the branch of the topmost Via and the method of the
// CSeq.
func (x *matcher) client(branch []byte, m sip.Method) key {
	var buf [room]byte
	return x.key(append(sip.AppendLower(append(buf[:0], 'c'), branch), 0), m)
}

// server is the key of a server transaction of a client that makes branches (RFC 3261 §17.2.3): the branch and
// the sent-by of the topmost Via, and the method. Both are compared without case (§7.3.1). A sent-by without a
// port stands for the transport's.
func (x *matcher) server(v *sip.Via, m sip.Method) key {
	var buf [room]byte
	port := v.Port
	if port == 0 {
		port = v.Transport.DefaultPort()
	}
	b := append(sip.AppendLower(append(buf[:0], 's'), v.Branch()), 0)
	b = append(sip.AppendLower(b, v.Host), 0, byte(port>>8), byte(port), 0)
	return x.key(b, m)
}

// old is the key of a server transaction of an RFC 2543 client (RFC 3261 §17.2.3): Request-URI, To tag, From tag,
// Call-ID, CSeq and topmost Via. A request that comes again is the same byte by byte, and so are these.
func (x *matcher) old(req *sip.Request, toTag []byte, m sip.Method) key {
	var buf [2 * room]byte
	n := req.CSeq.Number
	b := append(append(buf[:0], 'o'), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	for _, part := range [...][]byte{req.RequestURI(), toTag, req.From.Tag(), req.CallID(), req.Via.Raw()} {
		b = append(append(b, part...), 0)
	}
	return x.key(b, m)
}

// request is the key of the server transaction of method m that req belongs to; old says that its client is one
// of RFC 2543.
func (x *matcher) request(req *sip.Request, m sip.Method) (k key, old bool) {
	if hasCookie(req.Via.Branch()) {
		return x.server(&req.Via, m), false
	}
	return x.old(req, req.To.Tag(), m), true
}

// tag is the hash of a To tag.
func (x *matcher) tag(tag []byte) uint64 { return maphash.Bytes(x.a, tag) }

// hasCookie reports whether a branch is one of RFC 3261 §8.1.1.7. The cookie alone identifies nothing (RFC 4475
// §3.2.1).
func hasCookie(branch []byte) bool {
	return len(branch) > len(sip.MagicCookie) && equalLower(branch[:len(sip.MagicCookie)], sip.MagicCookie)
}

func equalLower(a []byte, b string) bool {
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
