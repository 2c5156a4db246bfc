package client

import (
	"bytes"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
)

// incoming is a request with the transaction that it is answered on.
type incoming struct {
	req    *sip.Request
	flow   sip.Flow
	id     transaction.ID
	tag    string // of our To, if the request has none
	over   bool   // it has its final answer
	cancel func() // RFC 3261 §9.2; nil: there is nothing to cancel
}

// request takes a request from the network (RFC 3261 §8.2).
func (a *Agent) request(req *sip.Request, flow sip.Flow) {
	d := a.dialogs[dialogKey{string(req.CallID()), string(req.To.Tag()), string(req.From.Tag())}]
	if req.Method() == sip.Ack {
		if d != nil {
			d.ackedBy(req)
		}
		return
	}
	if a.role.silent(req, flow) {
		return
	}
	in := &incoming{req: req, flow: flow, tag: random()}
	id, err := a.layer.NewServer(time.Now(), req, flow, req.Via.ResponseAddr(flow.Remote), in)
	if err != nil {
		return
	}
	in.id = id
	switch {
	case req.Method() == sip.Cancel:
		a.respond(in, 481, nil) // RFC 3261 §9.2: there is nothing that it would cancel
	case !a.check(in):
	case req.To.Tag() == nil:
		a.outside(in)
	case d == nil:
		a.respond(in, 481, nil) // RFC 3261 §12.2.2
	default:
		a.within(d, in)
	}
}

// check is RFC 3261 §8.2.1 to §8.2.3: whether the request is one that we can do. If not it answers.
func (a *Agent) check(in *incoming) bool {
	switch in.req.Method() {
	case sip.Invite, sip.Bye, sip.Options:
	default:
		a.respond(in, 405, nil)
		return false
	}
	if in.req.Target.Scheme == sip.SchemeOther {
		a.respond(in, 416, nil)
		return false
	}
	if required := tokens(in.req.Message, sip.HeaderRequire); len(required) > 0 {
		a.respond(in, 420, func(dst []byte) []byte {
			for _, option := range required {
				dst = sip.AppendFieldString(dst, sip.HeaderUnsupported, option)
			}
			return dst
		})
		return false
	}
	if len(in.req.Body()) > 0 && in.req.Method() == sip.Invite && !isSDP(in.req.Message) {
		a.respond(in, 415, func(dst []byte) []byte { return sip.AppendFieldString(dst, sip.HeaderAccept, sdpType) })
		return false
	}
	return true
}

// isSDP reports whether the body is a session description, and not encoded.
func isSDP(m *sip.Message) bool {
	value, _ := m.Value(sip.HeaderContentType)
	t, err := sip.ParseMediaType(value)
	return err == nil && t.Covers("application", "sdp") && !m.Has(sip.HeaderContentEncoding)
}

// outside takes a request outside a dialog.
func (a *Agent) outside(in *incoming) {
	switch in.req.Method() {
	case sip.Options:
		a.respond(in, 200, a.appendOptions)
	case sip.Invite:
		a.role.invited(in)
	default:
		a.respond(in, 481, nil)
	}
}

// appendOptions appends what OPTIONS is answered with (RFC 3261 §11.2); the Allow is always there.
func (a *Agent) appendOptions(dst []byte) []byte {
	return sip.AppendFieldString(dst, sip.HeaderAccept, sdpType)
}

// within takes a request in a dialog (RFC 3261 §12.2.2).
func (a *Agent) within(d *dialog, in *incoming) {
	n := in.req.CSeq.Number
	if d.remoteSeen && n <= d.remoteSeq {
		a.respond(in, 500, nil)
		return
	}
	d.remoteSeq, d.remoteSeen = n, true
	switch in.req.Method() {
	case sip.Bye:
		a.respond(in, 200, nil)
		d.settle()
		delete(a.dialogs, d.key)
		d.bye()
	case sip.Options:
		a.respond(in, 200, a.appendOptions)
	case sip.Invite:
		a.reinvite(d, in)
	}
}

// reinvite takes an INVITE in a dialog (RFC 3261 §14.2): the session stays as it is.
func (a *Agent) reinvite(d *dialog, in *incoming) {
	if !d.agreed || d.final != nil {
		// RFC 3261 §14.2: the INVITE before it is not done with.
		a.respond(in, 500, func(dst []byte) []byte { return sip.AppendFieldUint(dst, sip.HeaderRetryAfter, 1) })
		return
	}
	h := a.back(in.flow)
	body, err := a.describe(in, h)
	if err != nil {
		a.respond(in, 488, nil)
		return
	}
	d.retarget(in.req.Message)
	d.hop = h
	d.media(in.req.Body())
	a.persist(d, in, a.accept(in, d, h, body))
}

// describe is our session description in the answer to an INVITE: an answer, or an offer if it has none.
func (a *Agent) describe(in *incoming, h hop) ([]byte, error) {
	if len(in.req.Body()) == 0 {
		return offerSDP(a.session, h.local.Addr()), nil
	}
	return answerSDP(in.req.Body(), a.session, h.local.Addr())
}

// accept makes the 200 to an INVITE (RFC 3261 §13.3.1.4, §12.1.1).
func (a *Agent) accept(in *incoming, d *dialog, h hop, body []byte) []byte {
	b := a.start(in, 200)
	b = appendRecordRoute(b, in.req.Message)
	b = a.appendAbilities(b, h, d.secure)
	b = sip.AppendFieldString(b, sip.HeaderContentType, sdpType)
	return sip.AppendEnd(b, body)
}

// appendRecordRoute mirrors the Record-Route (RFC 3261 §12.1.1).
func appendRecordRoute(dst []byte, req *sip.Message) []byte {
	for i := req.Index(sip.HeaderRecordRoute); i >= 0; i = req.Next(i) {
		_, _, value := req.Field(i)
		dst = sip.AppendField(dst, sip.HeaderRecordRoute, value)
	}
	return dst
}

// start begins a response.
func (a *Agent) start(in *incoming, code int) []byte {
	b := in.req.AppendResponse(nil, code, "", []byte(in.tag), in.flow.Remote)
	return sip.AppendFieldString(b, sip.HeaderServer, a.cfg.UserAgent)
}

// respond answers a request with a body-less response; more appends header fields.
func (a *Agent) respond(in *incoming, code int, more func(dst []byte) []byte) {
	b := a.start(in, code)
	if code == 405 || code == 200 && in.req.Method() == sip.Options {
		b = sip.AppendFieldString(b, sip.HeaderAllow, allowed)
	}
	if more != nil {
		b = more(b)
	}
	a.respondWith(in, sip.AppendEnd(b, nil))
}

func (a *Agent) respondWith(in *incoming, b []byte) {
	if !bytes.HasPrefix(b, []byte("SIP/2.0 1")) {
		in.over = true
	}
	_ = a.layer.Respond(time.Now(), in.id, b)
}

// cancelled takes a CANCEL for in (RFC 3261 §9.2). Its 200 has the tag of the answers to the INVITE.
func (a *Agent) cancelled(in *incoming, req *sip.Request, flow sip.Flow) {
	cancel := &incoming{req: req, flow: flow, tag: in.tag}
	id, err := a.layer.NewServer(time.Now(), req, flow, req.Via.ResponseAddr(flow.Remote), cancel)
	if err != nil {
		return
	}
	cancel.id = id
	a.respond(cancel, 200, nil)
	if !in.over && in.cancel != nil {
		in.cancel()
	}
}
