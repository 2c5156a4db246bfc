package client

import (
	"bytes"
	"slices"
	"time"

	"biloxi/sip"
)

// dialogKey names a dialog (RFC 3261 §12): ours is the local tag.
type dialogKey struct{ callID, local, remote string }

// dialog is the state of a dialog (RFC 3261 §12), on our side of it.
type dialog struct {
	key           dialogKey
	local, remote []byte   // values of From and To of our requests, with their tags
	target        []byte   // the remote target: their Contact
	routes        [][]byte // the route set, in the order of our requests
	secure        bool
	seq           uint32 // of our last request
	remoteSeq     uint32 // of their last request, if there was one
	remoteSeen    bool
	hop           hop // that it was made on

	agreed bool         // its INVITE has its 2xx, and that its ACK
	final  *persistent  // our 2xx that has no ACK yet
	bye    func()       // they hang up
	media  func([]byte) // they change the session: its description, empty if they leave it to us
	lost   func()       // our 2xx gets no ACK
	acked  func([]byte) // it has: the body of the ACK
}

// newDialogAsCaller is RFC 3261 §12.1.2: a dialog that a response to our INVITE has made.
func newDialogAsCaller(o *outgoing, resp *sip.Message) *dialog {
	to, _ := resp.To()
	from, _ := resp.From()
	toValue, _ := resp.Value(sip.HeaderTo)
	d := &dialog{key: dialogKey{callID: o.callID, local: string(from.Tag()), remote: string(to.Tag())},
		local: o.from, remote: bytes.Clone(toValue), seq: o.cseq, hop: o.hop,
		secure: o.hop.flow.Transport.Secure() && bytes.HasPrefix(bytes.ToLower(o.target), []byte("sips:"))}
	d.routes = recordRoutes(resp)
	slices.Reverse(d.routes)
	// A 2xx without Contact is against §12.1.1; its Request-URI is then the best that is known.
	d.target = bytes.Clone(o.target)
	d.retarget(resp)
	return d
}

// newDialogAsCallee is RFC 3261 §12.1.1: a dialog that our response to their INVITE makes.
func newDialogAsCallee(a *Agent, req *sip.Request, tag string, flow sip.Flow) *dialog {
	from, _ := req.Value(sip.HeaderFrom)
	to, _ := req.Value(sip.HeaderTo)
	d := &dialog{key: dialogKey{callID: string(req.CallID()), local: tag, remote: string(req.From.Tag())},
		local: append(append(bytes.Clone(to), ";tag="...), tag...), remote: bytes.Clone(from), hop: a.back(flow),
		remoteSeq: req.CSeq.Number, remoteSeen: true,
		secure: flow.Transport.Secure() && req.Target.Scheme == sip.SchemeSIPS}
	d.routes = recordRoutes(req.Message)
	d.target = bytes.Clone(req.From.URI.Raw())
	d.retarget(req.Message)
	return d
}

// recordRoutes are the values of Record-Route, in order, at most so many.
func recordRoutes(m *sip.Message) (routes [][]byte) {
	values := m.Values(sip.HeaderRecordRoute)
	for values.Next() && len(routes) < maxRoutes {
		routes = append(routes, bytes.Clone(values.Raw()))
	}
	return routes
}

// retarget takes the remote target from a message's Contact (RFC 3261 §12.2.1.2, §12.2.2).
func (d *dialog) retarget(m *sip.Message) {
	if values := m.Values(sip.HeaderContact); values.Next() && values.URI.IsSIP() {
		u := values.URI
		u.Headers = nil
		d.target = u.Append(nil)
	}
}

// next is RFC 3261 §12.2.1.1: the Request-URI and Route of our next request, and whom it goes to.
func (d *dialog) next() (target []byte, routes [][]byte, to sip.URI, err error) {
	if len(d.routes) == 0 {
		to, err = sip.ParseURI(d.target)
		return d.target, nil, to, err
	}
	first, err := sip.ParseNameAddr(d.routes[0])
	if err != nil {
		return nil, nil, sip.URI{}, err
	}
	if first.URI.Params.Has("lr") {
		return d.target, d.routes, first.URI, nil
	}
	// A strict router: its URI is the Request-URI, and the remote target is the last Route.
	u := first.URI
	u.Headers = nil
	routes = append(slices.Clone(d.routes[1:]), append(append([]byte{'<'}, d.target...), '>'))
	return u.Append(nil), routes, first.URI, nil
}

// inDialog drafts a request in the dialog.
func (a *Agent) inDialog(d *dialog, method sip.Method) *outgoing {
	o := &outgoing{agent: a, fallback: &d.hop}
	target, routes, to, err := d.next()
	if err == nil {
		var s Server
		if s, err = serverOf(to); err == nil {
			// Without a word of the transport, and without NAPTR and SRV, the one that the dialog runs over is
			// the best guess.
			if _, pinned := to.Params.Value("transport"); !pinned && !d.secure && d.hop.flow.Transport != sip.TLS {
				s.Transport = d.hop.flow.Transport
			}
			o.servers, o.identity = []Server{s}, s.Host
		}
	}
	if err != nil {
		target, routes = d.target, d.routes
	}
	o.draft = draft{method: method, target: target, routes: routes, from: d.local, to: d.remote, callID: d.key.callID}
	o.seq = func() uint32 {
		if method != sip.Ack {
			d.seq++
		}
		return d.seq
	}
	return o
}

// ack acknowledges a 2xx to the INVITE o (RFC 3261 §13.2.2.4).
func (a *Agent) ack(d *dialog, invite *outgoing) *outgoing {
	o := a.inDialog(d, sip.Ack)
	cseq := invite.cseq
	o.seq = func() uint32 { return cseq }
	// RFC 3261 §22.1: it has the credentials of the INVITE.
	o.authorization = invite.authorization
	o.begin()
	return o
}

// bye ends a dialog (RFC 3261 §15.1.1); then is told when it is over: nil, or why there is no good answer.
func (a *Agent) bye(d *dialog, then func(error)) {
	o := a.inDialog(d, sip.Bye)
	o.answer = func(m *sip.Message) {
		code := m.StatusCode()
		switch {
		case code < 200:
			return
		// RFC 3261 §15.1.1: with 481 and 408 the dialog is over too.
		case code < 300, code == 481, code == 408:
			then(nil)
		default:
			then(&RefusedError{Status: code, Reason: string(m.Reason()), Cause: o.cause})
		}
	}
	o.failed = then
	o.begin()
}

// persistent is a 2xx to an INVITE, which is sent again until its ACK comes, over all transports (RFC 3261
// §13.3.1.4).
type persistent struct {
	in       *incoming
	response []byte
	cseq     uint32
	interval time.Duration
	since    time.Time
	alarm    *alarm
}

// persist sends a 2xx until its ACK comes, or too long.
func (a *Agent) persist(d *dialog, in *incoming, response []byte) {
	t := a.timers()
	p := &persistent{in: in, response: response, cseq: in.req.CSeq.Number, interval: t.T1, since: time.Now()}
	d.final = p
	a.respondWith(in, response)
	var again func()
	again = func() {
		if time.Since(p.since) >= 64*t.T1 {
			d.final = nil
			d.lost()
			return
		}
		_ = a.layer.Respond(time.Now(), in.id, response)
		p.interval = min(2*p.interval, t.T2)
		p.alarm = a.alarms.set(min(p.interval, 64*t.T1-time.Since(p.since)), again)
	}
	p.alarm = a.alarms.set(p.interval, again)
}

// ackedBy takes an ACK.
func (d *dialog) ackedBy(req *sip.Request) {
	if p := d.final; p != nil && p.cseq == req.CSeq.Number {
		p.alarm.stop()
		d.final = nil
		d.agreed = true
		d.acked(req.Body())
	}
}

// settle stops sending a 2xx.
func (d *dialog) settle() {
	if d.final != nil {
		d.final.alarm.stop()
		d.final = nil
	}
}
