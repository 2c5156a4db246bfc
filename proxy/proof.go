package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// A proof is a URI parameter of our Record-Route. It lets each end of a dialog that was made through this element send
// requests to the other end without any other permission, and nothing else: without it anybody could send a request
// anywhere by way of us, with a To tag and a Route of their own.
//
// It covers the Call-ID, the From URI with its tag and the To URI of the request that it was written into; where the
// caller is to be reached, which the Contact says, and where the callee is, to whom that copy of the request went; what
// the caller was to us; and it has its time.
//
// Both ends see it, and so one of them could act as the other. Who could gain by that is bound to an address: in a
// dialog that a stranger made the callee's requests come from where the copy went, since a stranger's Contact may name
// anybody; in any other the caller's come from where the first one came, since a callee's may.
//
// Where an end says later that it is to be reached elsewhere, [Dialogs] remembers it.
const (
	proofParam = "d"

	proofHead   = 4 // the time in minutes since 2000, 25 bits; and what the caller was to us
	proofPlace  = 6 // bytes of a keyed hash of where an end is to be reached
	proofSource = 3 // bytes of a keyed hash of an address
	proofMAC    = 8 // of SHA-256, with our key in front; that so few are shown also keeps the hash from being lengthened
	proofSealed = proofHead + 2*proofPlace + proofSource
	proofBytes  = proofSealed + proofMAC

	// ProofSize is the length of a proof as it is written.
	ProofSize = proofBytes * 8 / 6

	// proofClass is where the class stands in the last byte of the head; proofNear is the bit beside it that lets a proof
	// lead to an address of a private network: the caller is in one.
	proofClass = 1<<6 - 1
	proofNear  = 1 << 6
)

// Proof is a proof as it is written. The zero Proof is none.
type Proof [ProofSize]byte

// rawProof is a proof as it is checked.
type rawProof [proofBytes]byte

func (b *rawProof) caller() (p place) { return place(b[proofHead:]) }
func (b *rawProof) callee() (p place) { return place(b[proofHead+proofPlace:]) }
func (b *rawProof) class() uint8      { return b[proofHead-1] & proofClass }
func (b *rawProof) made() uint32      { return binary.BigEndian.Uint32(b[:]) >> 7 }
func (b *rawProof) source() []byte    { return b[proofHead+2*proofPlace : proofSealed] }
func (b *rawProof) mac() []byte       { return b[proofSealed:] }

// epoch is where the minutes of proofs begin: 25 bits of them reach to 2063.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// minutes is a time as proofs have it.
func minutes(now time.Time) uint32 { return uint32(max(now.Sub(epoch)/time.Minute, 0)) }

// Prove makes the proof for the copy of a request that goes to addr, with the Request-URI to, nil for that of in. class
// is what the caller is to the server, below 64, 0 for a stranger: [Proxy.Proves] gives it back.
func (p *Proxy) Prove(now time.Time, in *Received, class uint8, to []byte, addr netip.Addr) (proof Proof) {
	var b rawProof
	flags, source := class, in.Flow.Remote.Addr()
	if location.BehindNAT(source.Unmap()) {
		flags |= proofNear
	}
	if class == 0 {
		source = addr
	}
	binary.BigEndian.PutUint32(b[:], minutes(now)<<7|uint32(flags))
	caller, callee := p.sender(in), p.copyPlace(in, to)
	copy(b[proofHead:], caller[:])
	copy(b[proofHead+proofPlace:], callee[:])
	p.putSource(b.source(), source)
	mac := p.seal(&b, in.CallID(), &in.From, &in.To)
	copy(b.mac(), mac[:])
	base64.RawURLEncoding.Encode(proof[:], b[:])
	return proof
}

// Proven is what a proof shows.
type Proven struct {
	Class    uint8 // that it was made with
	FlowOnly bool  // the request goes to the other end down the flow that its token names, and may go nowhere else
}

// Proves reports whether the Route of a request, which has been preprocessed, proves that it is of a dialog that was
// made through this element and goes to the other end of it.
func (p *Proxy) Proves(now time.Time, in *Received) (shown Proven, ok bool) {
	var b rawProof
	if in.To.Tag() == nil || len(in.Proof) != ProofSize {
		return shown, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(b[:], in.Proof); err != nil {
		return shown, false
	}
	up := p.sealed(&b, in.CallID(), &in.From, &in.To)
	if !up && !p.sealed(&b, in.CallID(), &in.To, &in.From) {
		return shown, false
	}
	shown.Class = b.class()
	at := minutes(now)
	if !p.current(&b, in, at) || !p.fromThere(&b, in, up) {
		return shown, false
	}
	if !p.leadsThere(&b, in, up, at) {
		shown.FlowOnly = up && p.downFlow(in)
		if !shown.FlowOnly {
			return shown, false
		}
	}
	if at > b.made()+p.dialogMinutes/2 {
		// RFC 3261 §12.2: a dialog that goes on is refreshed by what goes on in it.
		p.dialogs.keep(p.dialogKey(in.CallID(), nil), place{}, at+p.dialogMinutes, shown.Class)
	}
	return shown, true
}

// sealed reports whether a proof is ours, for a dialog between these two.
func (p *Proxy) sealed(b *rawProof, callID []byte, caller, callee *sip.NameAddr) bool {
	mac := p.seal(b, callID, caller, callee)
	return subtle.ConstantTimeCompare(b.mac(), mac[:]) == 1
}

// current reports whether the time of a proof has not gone by, or the dialog has been refreshed since. A clock that was
// set back makes nothing last for ever.
func (p *Proxy) current(b *rawProof, in *Received, at uint32) bool {
	made := b.made()
	return max(at, made)-min(at, made) <= p.dialogMinutes || p.dialogs.alive(p.dialogKey(in.CallID(), nil), at)
}

// fromThere reports whether a request comes from the address that its sender is bound to, if they are bound to one.
func (p *Proxy) fromThere(b *rawProof, in *Received, up bool) bool {
	if (b.class() == 0) == up {
		return true
	}
	var source [proofSource]byte
	p.putSource(source[:], in.Flow.Remote.Addr())
	return string(source[:]) == string(b.source())
}

// leadsThere reports whether a request goes where the other end is to be reached.
func (p *Proxy) leadsThere(b *rawProof, in *Received, up bool, at uint32) bool {
	if !up && b.class() == 0 && b[proofHead-1]&proofNear == 0 && p.leadsInside(in) {
		// A stranger's Contact could name any host of the network that we are in.
		return false
	}
	ahead, there := p.ahead(in), b.caller()
	if up {
		there = b.callee()
	}
	return ahead == there || p.dialogs.moved(p.dialogKey(in.CallID(), in.To.Tag()), ahead, at)
}

// downFlow reports whether a token leads a request down a flow of its dialog: there it reaches nobody but the end that
// the flow is of, whatever its Request-URI says.
func (p *Proxy) downFlow(in *Received) bool {
	flow, refusal := p.TokenFlow(in)
	return refusal == nil && !flow.IsZero() && in.kept.empty()
}

// seal is the MAC of a proof.
func (p *Proxy) seal(b *rawProof, callID []byte, caller, callee *sip.NameAddr) (mac [proofMAC]byte) {
	var buf [512]byte
	m := append(append(buf[:0], p.secret[:]...), "dialog"...)
	m = append(m, b[:proofSealed]...)
	m = append(append(m, callID...), 0)
	m = append(append(appendParty(m, &caller.URI), caller.Tag()...), 0)
	m = appendParty(m, &callee.URI)
	sum := sha256.Sum256(m)
	copy(mac[:], sum[:])
	return mac
}

// putSource writes the hash of an address.
func (p *Proxy) putSource(dst []byte, a netip.Addr) {
	var b [32 + 6 + 16]byte
	copy(b[:], p.secret[:])
	copy(b[32:], "source")
	ip := a.Unmap().As16()
	copy(b[38:], ip[:])
	sum := sha256.Sum256(b[:])
	copy(dst, sum[:])
}

// appendParty appends the URI of a From or To as proofs compare it: user and host, since some phones leave out later
// what else was there.
func appendParty(dst []byte, u *sip.URI) []byte {
	if !u.IsSIP() {
		return append(sip.AppendLower(dst, u.Raw()), 0)
	}
	dst = append(sip.AppendUnescaped(dst, u.User), '@')
	return append(sip.AppendLower(dst, u.Host), 0)
}

// Answered remembers where who answers a request that makes a dialog is to be reached, if their Contact says something
// else than that its copy with that proof went to. A route set is made once (RFC 3261 §12.1): what stands in it cannot
// tell.
func (p *Proxy) Answered(now time.Time, resp *sip.Message, proof *Proof) {
	b, tag, ok := readProof(resp, proof)
	if status := resp.StatusCode(); !ok || status <= 100 || status >= 300 || !resp.Has(sip.HeaderContact) {
		return
	}
	if where := p.answerer(resp, proof); where != b.callee() {
		p.dialogs.keep(p.dialogKey(resp.CallID(), tag), where, minutes(now)+p.dialogMinutes, b.class())
	}
}

// AnsweredLate is Answered for a 2xx whose branch is known no more: its Record-Route still has the proof.
func (p *Proxy) AnsweredLate(now time.Time, resp *sip.Message) {
	from, err := resp.From()
	to, err2 := resp.To()
	if err != nil || err2 != nil {
		return
	}
	records := resp.Values(sip.HeaderRecordRoute)
	for records.Next() {
		var proof Proof
		value, _ := records.URI.Params.Value(proofParam)
		if copy(proof[:], value) != ProofSize || len(value) != ProofSize {
			continue
		}
		if b, _, ok := readProof(resp, &proof); ok && p.sealed(&b, resp.CallID(), &from, &to) {
			p.Answered(now, resp, &proof)
			return
		}
	}
}

// Refreshed remembers where the ends of a dialog are from now on, and that it goes on: resp is the response to a request
// within it that had the proof in its copy's Record-Route. Only a 2xx to one that refreshes targets changes anything.
func (p *Proxy) Refreshed(now time.Time, in *Received, resp *sip.Message, proof *Proof) {
	b, tag, ok := readProof(resp, proof)
	if !ok || !refreshesTarget(in.Method()) || resp.StatusCode()/100 != 2 {
		return
	}
	callID, until := in.CallID(), minutes(now)+p.dialogMinutes
	p.dialogs.keep(p.dialogKey(callID, nil), place{}, until, b.class())
	if resp.Has(sip.HeaderContact) {
		p.dialogs.keep(p.dialogKey(callID, tag), p.answerer(resp, proof), until, b.class())
	}
	if in.Has(sip.HeaderContact) {
		p.dialogs.keep(p.dialogKey(callID, in.From.Tag()), p.sender(in), until, b.class())
	}
}

// readProof reads a proof, and the tag of who answers.
func readProof(resp *sip.Message, proof *Proof) (b rawProof, tag []byte, ok bool) {
	if _, err := base64.RawURLEncoding.Decode(b[:], proof[:]); err != nil {
		return b, nil, false
	}
	to, err := resp.To()
	return b, to.Tag(), err == nil && to.Tag() != nil
}

// refreshesTarget reports whether a 2xx to a request of that method within a dialog changes where its ends are (RFC 3261
// §12.2.1.1, RFC 3311 §5.1, RFC 6665 §4.4.1).
func refreshesTarget(m sip.Method) bool {
	switch m {
	case sip.Invite, sip.Update, sip.Subscribe, sip.Notify, sip.Refer:
		return true
	}
	return false
}
