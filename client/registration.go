package client

import (
	"bytes"
	"time"

	"biloxi/sip"
)

// registration keeps an Agent registered (RFC 3261 §10.2).
type registration struct {
	agent   *Agent
	expires time.Duration
	callID  string
	fromTag string
	seq     uint32
	contact string // the one that is registered; empty if none is
	hop     hop
	refresh *alarm
	pending *outgoing
	// registered is told of each success, and failed of each failure: before the first success it is the
	// Agent's end.
	registered func(expires time.Duration)
	failed     func(err error)
}

// send registers, or with zero removes the contact.
func (r *registration) send(expires time.Duration, then func(m *sip.Message, o *outgoing, err error)) {
	a := r.agent
	domain := a.aor
	domain.User, domain.Params = nil, nil
	servers, identity, err := a.servers(a.aor, true)
	if err != nil {
		then(nil, nil, err)
		return
	}
	to := nameAddr(a.aor)
	o := &outgoing{agent: a, servers: servers, identity: identity}
	secure := a.aor.Scheme == sip.SchemeSIPS
	o.draft = draft{method: sip.Register, target: domain.Append(nil), routes: a.routes, callID: r.callID, to: to,
		from: append(append(bytes.Clone(to), ";tag="...), r.fromTag...),
		fields: func(dst []byte, h hop) []byte {
			uri := a.contactURI(h, secure)
			if expires == 0 && r.contact != "" {
				uri = r.contact
			}
			dst = sip.AppendFieldString(dst, sip.HeaderContact, "<"+uri+">")
			dst = sip.AppendField(dst, sip.HeaderExpires, appendSeconds(nil, expires))
			return sip.AppendFieldString(dst, sip.HeaderAllow, allowed)
		}}
	o.seq = func() uint32 { r.seq++; return r.seq }
	o.answer = func(m *sip.Message) {
		if m.StatusCode() >= 200 {
			then(m, o, nil)
		}
	}
	o.failed = func(err error) { then(nil, o, err) }
	r.pending = o
	o.begin()
}

// keep registers, and again before it expires.
func (r *registration) keep() {
	r.refresh.stop()
	r.send(r.expires, func(m *sip.Message, o *outgoing, err error) {
		if o != r.pending && o != nil {
			return
		}
		if err != nil {
			r.failed(err)
			return
		}
		var res Result
		res.read(m)
		// RFC 3261 §10.2.8: with 423 for longer, once.
		if res.Status == 423 && res.MinExpires > r.expires {
			r.expires = res.MinExpires
			r.keep()
			return
		}
		res.Cause = o.cause
		if err := res.Err(); err != nil {
			r.failed(err)
			return
		}
		r.contact, r.hop = r.agent.contactURI(o.hop, r.agent.aor.Scheme == sip.SchemeSIPS), o.hop
		granted := r.granted(&res)
		r.refresh = r.agent.alarms.set(untilRefresh(granted), r.keep)
		r.registered(granted)
	})
}

// granted is how long our contact is registered for (RFC 3261 §10.2.4).
func (r *registration) granted(res *Result) time.Duration {
	ours, _ := sip.ParseURI([]byte(r.contact))
	for _, c := range res.Contacts {
		if u, err := sip.ParseURI([]byte(c.URI)); err == nil && u.Equal(ours) && c.HasExpires {
			return c.Expires
		}
	}
	return r.expires
}

// untilRefresh is when a registration that lasts so long is refreshed: half a minute before its end, or at half
// of a short one.
func untilRefresh(expires time.Duration) time.Duration {
	return max(expires/2, expires-registerAgain, time.Second)
}

// retry registers again after a while.
func (r *registration) retry() {
	r.refresh.stop()
	r.refresh = r.agent.alarms.set(registerAgain, r.keep)
}

// leave removes the contact; then is called when that is answered or has failed.
func (r *registration) leave(then func(err error)) {
	r.refresh.stop()
	if r.contact == "" {
		then(nil)
		return
	}
	r.send(0, func(m *sip.Message, o *outgoing, err error) {
		if err == nil {
			var res Result
			res.read(m)
			res.Cause = o.cause
			err = res.Err()
		}
		r.contact = ""
		then(err)
	})
}
