package bench

import (
	"fmt"
	"net/netip"
	"strconv"

	"biloxi/sip"
)

// parts are the pieces of requests that stay the same, made once for a worker.
type parts struct {
	server   []byte // Request-URI of the server: sip:DOMAIN
	via      []byte // Via up to what differs in the branch
	domain   []byte // "@DOMAIN>"
	callers  []byte // the same for those who call
	callID   []byte // how the Call-IDs of a worker's own operations begin
	regID    []byte // how the Call-IDs of registrations begin
	contact  []byte // what follows the user in a contact: "@HOST:PORT;transport=tcp"
	expires  []byte // ">;expires=3600\r\n"
	cnonce   []byte
	text     []byte // Content-Type to the end of a MESSAGE
	offer    []byte // Content-Type to the end of an INVITE, and of its 200
	noBody   []byte
	branchAt int // digits of the branch before lane and serial
}

// stablePort is the port of contacts that nobody is to be reached at, so that one run after another
// registers the same.
const stablePort = 40000

func (w *worker) layOut() {
	c, here := w.config, w.wire.local()
	host := here.String()
	transport := ""
	if c.Transport.Reliable() {
		transport = ";transport=" + map[sip.Transport]string{sip.TCP: "tcp", sip.TLS: "tls"}[c.Transport]
	}
	reach := fmt.Sprintf("@%s", here)
	if !c.Scenario.proxied() {
		reach = fmt.Sprintf("@%s:%d", hostOf(here.Addr()), stablePort)
	}
	sdp := fmt.Sprintf("v=0\r\no=- 3724394400 3724394400 IN %s %s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n",
		networkOf(here.Addr()), here.Addr().Unmap().WithZone(""))
	text := "Watson, come here. I want to see you."
	w.parts = parts{
		server:  []byte("sip:" + c.Domain),
		via:     fmt.Appendf(nil, "Via: SIP/2.0/%s %s;rport;branch=%s%08x%04x", c.Transport, host, sip.MagicCookie, w.run.id, w.index),
		domain:  []byte("@" + c.Domain + ">"),
		callers: []byte("@" + c.Callers + ">"),
		callID:  fmt.Appendf(nil, "%08x%04x", w.run.id, w.index),
		regID:   fmt.Appendf(nil, "%08xr", w.run.id),
		contact: []byte(reach + transport),
		expires: fmt.Appendf(nil, ">;expires=%d\r\n", c.Expires),
		cnonce:  fmt.Appendf(nil, "%08x", w.run.id^uint32(w.index)),
		text:    fmt.Appendf(nil, "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(text), text),
		offer:   fmt.Appendf(nil, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(sdp), sdp),
		noBody:  []byte("Content-Length: 0\r\n\r\n"),
	}
	w.parts.branchAt = len(sip.MagicCookie) + 12
}

// appendRequest lays out the lane's request for its step, with credentials if the user has a nonce.
func (w *worker) appendRequest(l *lane) {
	switch l.step {
	case stepClear, stepRegister, stepQuery:
		w.appendRegister(l)
	case stepOptions:
		b := w.appendStart(l, l.request[:0], sip.Options, w.parts.server, "")
		b = w.appendCredentials(b, l, sip.Options, w.parts.server)
		l.request = append(b, w.parts.noBody...)
	case stepMessage:
		uri := w.appendPeer(l)
		b := w.appendStart(l, l.request[:0], sip.MESSAGE, uri, l.peer)
		b = w.appendCredentials(b, l, sip.MESSAGE, uri)
		l.request = append(b, w.parts.text...)
	case stepInvite:
		uri := w.appendPeer(l)
		b := w.appendStart(l, l.request[:0], sip.Invite, uri, l.peer)
		b = w.appendContact(b, l.user.name)
		b = append(b, ">\r\n"...)
		b = w.appendCredentials(b, l, sip.Invite, uri)
		l.request = append(b, w.parts.offer...)
	case stepBye:
		b := w.appendStart(l, l.request[:0], sip.Bye, l.target, l.peer)
		b = append(b, l.routes...)
		b = w.appendCredentials(b, l, sip.Bye, l.target)
		l.request = append(b, w.parts.noBody...)
	}
}

func (w *worker) appendRegister(l *lane) {
	b := w.appendStart(l, l.request[:0], sip.Register, w.parts.server, l.user.name)
	switch l.step {
	case stepClear:
		// RFC 3261 §10.2.2: all contacts, whoever registered them.
		b = append(b, "Contact: *\r\nExpires: 0\r\n"...)
	case stepRegister:
		b = w.appendContact(b, l.user.name)
		b = append(b, w.parts.expires...)
	}
	b = w.appendCredentials(b, l, sip.Register, w.parts.server)
	l.request = append(b, w.parts.noBody...)
}

// appendPeer makes the address of record of the one who is called.
func (w *worker) appendPeer(l *lane) []byte {
	b := append(w.uri[:0], "sip:"...)
	b = append(b, l.peer...)
	w.uri = append(b, w.parts.domain[:len(w.parts.domain)-1]...)
	return w.uri
}

func (w *worker) appendContact(b []byte, name string) []byte {
	b = append(b, "Contact: <sip:"...)
	b = append(b, name...)
	return append(b, w.parts.contact...)
}

func (w *worker) appendCredentials(b []byte, l *lane, method sip.Method, uri []byte) []byte {
	// Credentials for the registrar are none for a proxy, unless it asks for them.
	u := l.user
	if u.nonce == nil || method != sip.Register && !u.proxy && l.tries == 0 {
		return b
	}
	login := &w.logins[0]
	if u.proxy {
		login = &w.logins[1]
	}
	return login.appendAuthorization(b, u, method, uri, w.parts.cnonce)
}

// appendStart appends the start-line and the header fields of every request, To for so-called name, the
// server itself without one, and notes where stands what the answer is checked for.
func (w *worker) appendStart(l *lane, b []byte, method sip.Method, uri []byte, name string) []byte {
	p := &w.parts
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, uri...)
	b = append(b, " SIP/2.0\r\n"...)
	b = append(b, p.via...)
	b = appendHex(b, uint64(l.index), 6)
	b = appendHex(b, uint64(l.serial), 8)
	b = append(b, "\r\nMax-Forwards: 70\r\nFrom: "...)
	l.from.start = len(b)
	b = append(b, "<sip:"...)
	b = append(b, l.user.name...)
	if method == sip.Register || method == sip.Options {
		b = append(b, p.domain...)
	} else {
		b = append(b, p.callers...)
	}
	b = append(b, ";tag="...)
	b = appendHex(b, uint64(l.index), 6)
	b = appendHex(b, uint64(l.first), 8)
	l.from.end = len(b)
	b = append(b, "\r\nTo: "...)
	l.to.start = len(b)
	switch {
	case method == sip.Bye || method == sip.Ack:
		b = append(b, l.remote...)
	case name == "":
		b = append(b, '<')
		b = append(b, p.server...)
		b = append(b, '>')
	default:
		b = append(b, "<sip:"...)
		b = append(b, name...)
		b = append(b, p.domain...)
	}
	l.to.end = len(b)
	b = append(b, "\r\nCall-ID: "...)
	l.callID.start = len(b)
	if method == sip.Register {
		// RFC 3261 §10.2.4: all registrations of a phone have one Call-ID, and rising numbers.
		b = append(b, p.regID...)
		b = appendHex(b, uint64(l.user.index), 8)
	} else {
		b = append(b, p.callID...)
		b = appendHex(b, uint64(l.index), 6)
		b = appendHex(b, uint64(l.first), 8)
	}
	l.callID.end = len(b)
	b = append(b, "\r\nCSeq: "...)
	b = strconv.AppendUint(b, uint64(l.cseq), 10)
	b = append(b, ' ')
	l.method.start = len(b)
	b = append(b, method...)
	l.method.end = len(b)
	return append(b, "\r\nUser-Agent: biloxi-bench\r\n"...)
}

// appendAck lays out the ACK of a 200 (RFC 3261 §13.2.2.4): a transaction of its own.
func (w *worker) appendAck(l *lane) {
	keep := *l
	b := w.appendStart(l, l.ack[:0], sip.Ack, l.target, l.peer)
	l.callID, l.from, l.to, l.method = keep.callID, keep.from, keep.to, keep.method
	b = append(b, l.routes...)
	l.ack = append(b, w.parts.noBody...)
}

// appendLateAck lays out the ACK of a 200 that came again, by the 200 alone: its call may be over here.
func (w *worker) appendLateAck(b []byte, m *sip.Message, target, routes []byte) []byte {
	w.serial++
	c, _ := m.CSeq()
	b = append(b, "ACK "...)
	b = append(b, target...)
	b = append(b, " SIP/2.0\r\n"...)
	b = append(b, w.parts.via...)
	b = appendHex(b, 0, 6)
	b = appendHex(b, uint64(w.serial), 8)
	b = append(b, "\r\nMax-Forwards: 70\r\n"...)
	for _, h := range [...]sip.Header{sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID} {
		v, _ := m.Value(h)
		b = sip.AppendField(b, h, v)
	}
	b = append(b, "CSeq: "...)
	b = strconv.AppendUint(b, uint64(c.Number), 10)
	b = append(b, " ACK\r\n"...)
	b = append(b, routes...)
	return append(b, w.parts.noBody...)
}

// appendRefusalAck lays out the ACK of any other final answer (RFC 3261 §17.1.1.3): it has the branch and
// the Request-URI of the INVITE, and the To of the answer.
func (w *worker) appendRefusalAck(l *lane, to []byte) {
	request := l.request
	b := append(l.ack[:0], sip.Ack...)
	b = append(b, request[len(sip.Invite):l.to.start]...)
	b = append(b, to...)
	b = append(b, request[l.to.end:l.method.start]...)
	b = append(b, "ACK\r\n"...)
	l.ack = append(b, w.parts.noBody...)
}

// hostOf is an address as it stands in a URI.
func hostOf(a netip.Addr) string {
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	return "[" + a.WithZone("").String() + "]"
}

// networkOf is the address type of a session description (RFC 8866 §5.7).
func networkOf(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "IP4"
	}
	return "IP6"
}
