package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
)

// errAbandoned is a request that was given up before it went out.
var errAbandoned = errors.New("given up before it was sent")

// outgoing is a request that an Agent sends: to one place after the other until somebody answers (RFC 3263
// §4.3), and again with credentials when it is challenged (RFC 3261 §22.2). Each time is a transaction of its
// own.
type outgoing struct {
	draft
	agent    *Agent
	servers  []Server
	identity string
	fallback *hop          // used when the servers lead nowhere; nil: none
	seq      func() uint32 // the next CSeq
	// answer is called for each response but a challenge that is answered.
	answer func(m *sip.Message)
	// challenged is called for one that is; nil: nobody wants to know.
	challenged func(m *sip.Message)
	// failed is called when nobody answers.
	failed func(err error)

	attempts      []attempt
	tried         attempt
	hop           hop
	id            transaction.ID
	branch        string
	cseq          uint32
	authorization []byte
	sent          []byte // an ACK, to be sent again
	then          func() // what waits for it; nil: nothing
	start         time.Time
	done          answered
	requests      int
	widened       bool // it was too large for UDP, and goes over TCP first
	heard         bool // somebody has answered
	given         bool // up: it is cancelled
	over          bool
	cause         error // why a challenge is not answered
}

// begin sends it.
func (o *outgoing) begin() {
	o.start, o.done = time.Now(), answered{}
	o.agent.locate(o.servers, o.identity, func(found []attempt, err error) {
		if err != nil && o.fallback != nil {
			o.cseq = o.seq()
			o.transmit(*o.fallback)
			return
		}
		o.attempts = found
		o.cseq = o.seq()
		o.next(err)
	})
}

// next tries the next place, if there is one; err is what came of the last.
func (o *outgoing) next(err error) {
	if o.given && !o.over {
		err, o.attempts = errAbandoned, nil
	}
	if len(o.attempts) == 0 {
		o.fail(err)
		return
	}
	o.tried = o.attempts[0]
	o.attempts = o.attempts[1:]
	// A dialog goes on over the connection that it was made on, where that leads to the same place.
	if f := o.fallback; f != nil && f.to == o.tried.addr && f.flow.Transport == o.tried.transport && o.agent.transport.Alive(f.flow) {
		o.transmit(*f)
		return
	}
	o.agent.open(o.tried, func(h hop, err error) {
		if err != nil {
			o.next(o.unreachable(err))
			return
		}
		if o.given {
			o.fail(errAbandoned)
			return
		}
		o.transmit(h)
	})
}

// place is the server that it was last tried at, by its address.
func (o *outgoing) place() Server {
	return Server{Transport: o.tried.transport, Host: o.tried.addr.Addr().String(), Port: o.tried.addr.Port()}
}

// transmit sends the request over h, in a transaction unless it is an ACK.
func (o *outgoing) transmit(h hop) {
	a := o.agent
	o.hop, o.branch, o.id = h, a.branch(), transaction.ID{}
	if o.method != sip.Ack {
		a.logins.count()
		o.authorization = a.logins.appendTo(nil, o.method, o.target)
	}
	b := o.append(nil, h, o.branch, o.cseq, o.authorization, a.cfg.UserAgent)
	if o.widen(h, len(b)) {
		o.next(nil)
		return
	}
	o.requests++
	if o.method == sip.Ack {
		// RFC 3261 §13.2.2.4: the ACK for a 2xx has no transaction; it is sent again for each 2xx that comes again.
		o.sent = b
		_ = a.Send(h.flow, h.to, b)
		o.follow()
		return
	}
	id, err := a.layer.NewClient(time.Now(), b, h.flow, h.to, o)
	if err != nil {
		o.next(o.unreachable(err))
		return
	}
	o.id = id
	if o.given {
		_ = a.layer.Cancel(time.Now(), id)
	}
}

// widen has a request of that size tried over TCP first, if it should not go over h. RFC 3261 §18.1.1: one that is
// large goes over TCP unless the user said how; a server without TCP gets it over UDP all the same.
func (o *outgoing) widen(h hop, size int) bool {
	if h.flow.Transport != sip.UDP || size <= MaxUnpinnedDatagram || o.widened || len(o.servers) == 0 || o.servers[0].Pinned {
		return false
	}
	o.widened = true
	o.attempts = append([]attempt{{transport: sip.TCP, addr: h.to}, {transport: sip.UDP, addr: h.to}}, o.attempts...)
	return true
}

// again sends an ACK again.
func (o *outgoing) again() {
	if o.sent != nil {
		_ = o.agent.Send(o.hop.flow, o.hop.to, o.sent)
	}
}

// whenSent calls then when the ACK has been sent, or cannot be.
func (o *outgoing) whenSent(then func()) {
	o.then = then
	if o.sent != nil || o.over {
		o.follow()
	}
}

func (o *outgoing) follow() {
	if then := o.then; then != nil {
		o.then = nil
		then()
	}
}

// cancel gives an INVITE up (RFC 3261 §9.1): what becomes of it answer or failed is told.
func (o *outgoing) cancel() {
	if o.given || o.over {
		return
	}
	o.given = true
	if !o.id.IsZero() {
		_ = o.agent.layer.Cancel(time.Now(), o.id)
	}
}

// response takes a response to the request.
func (o *outgoing) response(m *sip.Message) {
	via, err := m.Via()
	if err != nil || string(via.Branch()) != o.branch {
		return // to an attempt that was given up
	}
	o.heard = true
	code := m.StatusCode()
	switch {
	case (code == 401 || code == 407) && !o.given && !o.over:
		if o.requests >= maxRequests {
			o.cause = ErrTooMany
		} else if o.cause = o.agent.logins.challenged(m, o.done); o.cause == nil {
			if o.challenged != nil {
				o.challenged(m)
			}
			// RFC 3261 §22.2: the same Call-ID and From, and the next CSeq.
			o.cseq = o.seq()
			o.transmit(o.hop)
			return
		}
	case code == 503 && len(o.attempts) > 0 && !o.given && !o.over:
		// RFC 3263 §4.3: 503 is a reason to go to the next one.
		o.next(nil)
		return
	}
	if code >= 200 {
		o.over = true
	}
	o.answer(m)
}

// timeout is the end of Timer B or F, or of the wait behind a CANCEL.
func (o *outgoing) timeout(id transaction.ID) {
	if id != o.id || o.over {
		return
	}
	err := &TimeoutError{Server: o.place(), After: time.Since(o.start).Round(time.Millisecond), Heard: o.heard}
	if o.heard || o.given {
		o.fail(err)
		return
	}
	o.next(err)
}

// lost is a request that could not be delivered.
func (o *outgoing) lost(id transaction.ID, err error) {
	if id == o.id && !o.over {
		o.next(o.unreachable(err))
	}
}

// unreachable is the error of the place that was tried last: that it cannot be reached, or is not who it should
// be.
func (o *outgoing) unreachable(err error) error {
	if text := err.Error(); o.tried.transport == sip.TLS && strings.Contains(text, "certificate") && !strings.Contains(text, "remote error") {
		return &CertificateError{Server: o.place().String(), Err: err}
	}
	return &ConnectError{Server: o.place(), Err: err}
}

func (o *outgoing) fail(err error) {
	if o.over {
		return
	}
	o.over = true
	if err == nil {
		err = fmt.Errorf("%s: %w", o.target, errNoAddress)
	}
	if o.failed != nil {
		o.failed(err)
	}
	o.follow()
}
