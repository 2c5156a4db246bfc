package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"biloxi/sip"
)

// A proof is a URI parameter of our Record-Route: a keyed hash of the Call-ID and the caller's tag. A request that
// brings it back belongs to a dialog that was made through this element, whoever sends it: it needs no other
// permission. Without it anybody could send a request anywhere by way of us, with a To tag and a Route of his own.
const (
	proofParam = "d"
	proofBytes = 12 // 96 bits; that so few are shown also keeps the hash from being lengthened
)

// AppendProof appends the proof for the dialog that a request makes. One that brought a proof which was found right
// gets that again, so that the dialog keeps it whoever sends.
func (p *Proxy) AppendProof(dst []byte, in *Received, proved bool) []byte {
	if proved {
		return append(dst, in.Proof...)
	}
	sum := p.proof(in.Request, in.From.Tag())
	return base64.RawURLEncoding.AppendEncode(dst, sum[:proofBytes])
}

// Proves reports whether the Route of a request, which has been preprocessed, proves that its dialog was made through
// this element.
func (p *Proxy) Proves(in *Received) bool {
	to := in.To.Tag()
	if to == nil || base64.RawURLEncoding.DecodedLen(len(in.Proof)) != proofBytes {
		return false
	}
	var got [proofBytes]byte
	if _, err := base64.RawURLEncoding.Strict().Decode(got[:], in.Proof); err != nil {
		return false
	}
	for _, tag := range [...][]byte{in.From.Tag(), to} {
		want := p.proof(in.Request, tag)
		if subtle.ConstantTimeCompare(got[:], want[:proofBytes]) == 1 {
			return true
		}
	}
	return false
}

func (p *Proxy) proof(req *sip.Request, tag []byte) [sha256.Size]byte {
	var buf [512]byte
	b := append(buf[:0], p.secret[:]...)
	b = append(b, "dialog"...)
	b = append(append(b, req.CallID()...), 0)
	return sha256.Sum256(append(b, tag...))
}
