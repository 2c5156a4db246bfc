package siptest

import (
	"fmt"
	"net/netip"
	"strings"

	"biloxi/sip"
)

// Reply answers a request: with its Vias, the topmost with received where its sent-by is not where it came
// from, its From, To with a tag of the agent's for the Call-ID (but in a 100), Call-ID and CSeq. A response
// that makes or refreshes a dialog has the Record-Routes and a Contact; a 2xx to INVITE has a session
// description too. It goes where RFC 3261 §18.2.2 says, and what was sent is returned.
func (a *Agent) Reply(req *Received, status int, edits ...Edit) string {
	a.T.Helper()
	if !req.IsRequest() {
		req.Fatalf("%s cannot reply to what is no request", a.User)
	}
	r := &Request{Version: "SIP/2.0", Status: status, Reason: sip.StatusText(status), From: req.Header("From"),
		To: req.Header("To"), CallID: req.ID(), CSeq: req.CSeqNumber(), CSeqMethod: req.CSeqMethod()}
	if req.ToTag() == "" && status > 100 {
		r.To += ";tag=" + a.Tag(req.ID())
	}
	vias := req.Values("Via")
	top := splitList(vias[0])
	top[0] = markReceived(req, top[0])
	vias[0] = strings.Join(top, ", ")
	for i := len(vias) - 1; i >= 0; i-- {
		Top("Via: " + vias[i])(r)
	}
	dialog := status > 100 && status < 300
	switch req.Method() {
	case "INVITE", "SUBSCRIBE", "NOTIFY", "REFER":
		if dialog && len(req.Values("Record-Route")) > 0 {
			for _, v := range req.Values("Record-Route") {
				r.Lines = append(r.Lines, "Record-Route: "+v)
			}
		}
	default:
		dialog = false
	}
	for _, edit := range edits {
		edit(r)
	}
	if dialog {
		a.complete(r, string(req.Method()), req.Hop.Transport)
	}
	b := r.render(nil)
	a.Send(a.responseHop(req), b)
	return string(b)
}

// markReceived is a Via's value with what the one who got the request adds (RFC 3261 §18.2.1, RFC 3581 §4).
func markReceived(req *Received, via string) string {
	v, err := sip.ParseVia([]byte(via))
	if err != nil {
		req.Fatalf("Via: %v", err)
	}
	src := req.Hop.Addr
	if v.Params.Has("rport") {
		return strings.Replace(via, ";rport", fmt.Sprintf(";rport=%d", src.Port()), 1) + ";received=" + src.Addr().String()
	}
	if strings.Trim(string(v.Host), "[]") == src.Addr().String() {
		return via
	}
	return via + ";received=" + src.Addr().String()
}

// responseHop is where a response to req goes.
func (a *Agent) responseHop(req *Received) Hop {
	if req.Hop.Transport != sip.UDP {
		if req.Hop.stream != nil && !req.Hop.stream.over() {
			return req.Hop
		}
		// RFC 3261 §18.2.2: a connection that is gone is opened again to received with the port of sent-by.
		via, _ := req.Via()
		port := via.Port
		if port == 0 {
			port = req.Hop.Transport.DefaultPort()
		}
		return Hop{Transport: req.Hop.Transport, Addr: netip.AddrPortFrom(req.Hop.Addr.Addr(), port)}
	}
	via, _ := req.Via()
	switch {
	case via.Params.Has("rport"):
		return req.Hop
	case via.Port != 0:
		return Hop{Transport: sip.UDP, Addr: netip.AddrPortFrom(req.Hop.Addr.Addr(), via.Port)}
	}
	return Hop{Transport: sip.UDP, Addr: netip.AddrPortFrom(req.Hop.Addr.Addr(), sip.UDP.DefaultPort())}
}

// Tag is the agent's tag in the dialogs of a Call-ID that others begin. SetTag changes it: another dialog
// of the same INVITE.
func (a *Agent) Tag(callID string) string {
	if a.tags[callID] == "" {
		a.tags[callID] = a.Token()
	}
	return a.tags[callID]
}

// SetTag sets the agent's tag for a Call-ID.
func (a *Agent) SetTag(callID, tag string) { a.tags[callID] = tag }
