package registrar

import (
	"time"
	"unicode/utf8"

	"biloxi/sip"
)

// Prepare does what RFC 3261 §10.3 asks for without looking at bindings: step 2, the grammar of step 6,
// and the grammar and expiry intervals of step 7.
//
// The request is decoded and authorised. now is when it was received, flow is how, toTag is the tag of
// every response to it, and branch a hash of its topmost Via, by which a retransmission is
// told from another request of the same Call-ID and CSeq.
//
// If ready is false, reg.Response is the final answer and no change is to be made. If it is true,
// reg.Apply is to be called with the AOR's record. The request must not change until then.
func (r *Registrar) Prepare(reg *Registration, now time.Time, req *sip.Request, flow sip.Flow, toTag []byte, branch uint64) (ready bool) {
	reg.reset(r, now, req, flow, branch)
	if why := reg.read(req); why != nil {
		reg.refuse(req, toTag, why)
		return false
	}
	reg.begin(req, toTag)
	return true
}

// Extensions does RFC 3261 §10.3 step 2 alone, for a caller that keeps the order of the steps and
// authenticates (step 3) only what it can process. If ok is false, reg.Response is the final answer.
// Prepare does it too.
func (r *Registrar) Extensions(reg *Registration, req *sip.Request, flow sip.Flow, toTag []byte) (ok bool) {
	reg.reset(r, time.Time{}, req, flow, 0)
	if why := checkRequire(req); why != nil {
		reg.refuse(req, toTag, why)
		return false
	}
	return true
}

// read goes through the request up to what needs the bindings.
func (reg *Registration) read(req *sip.Request) *refusal {
	if why := checkRequire(req); why != nil {
		return why
	}
	if len(reg.writer.CallID) > maxCallID {
		return callIDTooLong
	}
	if why := reg.readPath(req); why != nil {
		return why
	}
	if !req.Has(sip.HeaderContact) {
		return nil
	}
	reg.userAgent = reg.cutUserAgent(req)
	if hasTwoExpires(req) {
		return expiresTwice
	}
	if why := reg.readContacts(req); why != nil || reg.star {
		return why
	}
	if why := reg.checkOutbound(req); why != nil {
		return why
	}
	if why := reg.chooseExpiry(req); why != nil {
		return why
	}
	if why := reg.merge(); why != nil {
		return why
	}
	if why := reg.checkOneFlow(); why != nil {
		return why
	}
	if why := reg.checkPlaces(); why != nil {
		return why
	}
	return reg.checkSecurity(req)
}

// cutUserAgent returns what is stored of the User-Agent: nil if there is none.
func (reg *Registration) cutUserAgent(req *sip.Request) []byte {
	v, _ := req.Value(sip.HeaderUserAgent)
	if len(v) == 0 {
		return nil
	}
	if isFolded(v) {
		v = reg.keep(v)
	}
	if len(v) <= maxUserAgent {
		return v
	}
	end := maxUserAgent
	for end > 0 && !utf8.RuneStart(v[end]) {
		end--
	}
	return v[:end]
}
