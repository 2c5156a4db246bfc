package client

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
	"biloxi/transport"
)

// Receive takes what the transport has read. It is for the transport alone.
func (a *Agent) Receive(out *transport.Out, in *transport.Arrival) {
	out.Authenticated(in, nil, nil)
	now := time.Now()
	m := new(sip.Message)
	err := in.Err
	if e := m.Parse(bytes.Clone(in.Data)); err == nil {
		err = e
	}
	ours := err == nil && m.Version20() && (m.IsRequest() || a.sentBy.has(m) && isWhole(m))
	a.tracer.came(now, in.Flow, in.Data, !ours && !m.IsRequest())
	switch {
	case m.IsResponse() && ours:
		a.layer.ReceiveResponse(now, m, in.Flow)
	case m.IsRequest():
		req := new(sip.Request)
		if e := req.Decode(m); err == nil {
			err = e
		}
		if err == nil && m.Version20() {
			a.layer.ReceiveRequest(now, req, in.Flow)
			return
		}
		a.refuse(out, in, m)
	}
}

// isWhole reports whether a response has what a request that follows it is made of (RFC 3261 §8.1.1, §12.1.2): one
// that has not is dropped.
func isWhole(m *sip.Message) bool {
	_, noTo := m.To()
	_, noFrom := m.From()
	_, noCSeq := m.CSeq()
	return noTo == nil && noFrom == nil && noCSeq == nil && m.CallID() != nil
}

// refuse answers what is no request of ours, and keeps nothing of it (RFC 3261 §8.2.7).
func (a *Agent) refuse(out *transport.Out, in *transport.Arrival, m *sip.Message) {
	if !m.Answerable() {
		return
	}
	code := 400
	if !m.Version20() {
		code = 505
	}
	to := in.Flow.Remote
	if via, err := m.Via(); err == nil {
		to = via.ResponseAddr(to)
	}
	b := sip.AppendEnd(sip.AppendResponse(out.Buffer(), m, code, "", []byte(random()), in.Flow.Remote), nil)
	a.tracer.went(time.Now(), in.Flow, to, b)
	out.Reply(in, to, b)
}

// Send sends a message. It is for the transaction layer, and for what has no transaction.
func (a *Agent) Send(flow sip.Flow, to netip.AddrPort, b []byte) error {
	a.tracer.went(time.Now(), flow, to, b)
	return a.transport.Send(flow, to, b)
}

// undelivered is told by the transport of what could not be sent after all. A datagram that bounced may come back
// in part, of which the head is enough.
func (a *Agent) undelivered(_ sip.Flow, b []byte, err error) {
	m := new(sip.Message)
	_ = m.Parse(bytes.Clone(b))
	a.layer.Undelivered(time.Now(), m, err)
}

// Request takes a request without a transaction.
func (a *Agent) Request(_ time.Time, req *sip.Request, flow sip.Flow) {
	a.inbox.post(func() { a.request(req, flow) })
}

// Cancel takes a CANCEL.
func (a *Agent) Cancel(_ time.Time, _ transaction.ID, owner any, req *sip.Request, flow sip.Flow) {
	in, ok := owner.(*incoming)
	if !ok {
		in = &incoming{tag: random(), over: true} // what it means has its final response
	}
	a.inbox.post(func() { a.cancelled(in, req, flow) })
}

// Ack takes an ACK for a 2xx from an old client.
func (a *Agent) Ack(_ time.Time, _ transaction.ID, _ any, req *sip.Request, flow sip.Flow) {
	a.inbox.post(func() { a.request(req, flow) })
}

// Response takes a response.
func (a *Agent) Response(_ time.Time, _ transaction.ID, owner any, resp *sip.Message, _ sip.Flow) {
	a.inbox.post(func() { owner.(*outgoing).response(resp) })
}

// Timeout takes the end of a wait: for a final response, or for the ACK of a refusal, which ends nothing more.
func (a *Agent) Timeout(_ time.Time, id transaction.ID, owner any) {
	if o, ok := owner.(*outgoing); ok {
		a.inbox.post(func() { o.timeout(id) })
	}
}

// TransportError takes what could not be sent. A response that was lost is asked for again.
func (a *Agent) TransportError(_ time.Time, id transaction.ID, owner any, err error) {
	if o, ok := owner.(*outgoing); ok {
		a.inbox.post(func() { o.lost(id, err) })
	}
}

// Terminated has nothing to say to an Agent.
func (a *Agent) Terminated(time.Time, transaction.ID, any) {}

// sentBy are the sent-by values that our Vias have had (RFC 3261 §18.1.2): few, one for each socket and
// connection.
type sentBy struct {
	mu  sync.Mutex
	all map[netip.AddrPort]bool
}

func (s *sentBy) add(at netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= hopsKept {
		s.all = map[netip.AddrPort]bool{}
	}
	s.all[at] = true
}

// has reports whether the topmost Via of a response is ours.
func (s *sentBy) has(m *sip.Message) bool {
	via, err := m.Via()
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(string(bytes.Trim(via.Host, "[]")))
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[netip.AddrPortFrom(addr.Unmap(), via.Port)]
}

// tracer tells a trace of messages, one at a time.
type tracer struct {
	mu    sync.Mutex
	tell  func(Traced)
	seed  maphash.Seed
	heard map[uint64]bool // what went and came before
}

func (t *tracer) went(now time.Time, flow sip.Flow, to netip.AddrPort, b []byte) {
	t.trace(Traced{Time: now, Sent: true, Transport: flow.Transport, Local: flow.Local, Remote: to, Bytes: b})
}

func (t *tracer) came(now time.Time, flow sip.Flow, b []byte, ignored bool) {
	t.trace(Traced{Time: now, Transport: flow.Transport, Local: flow.Local, Remote: flow.Remote, Bytes: b, Ignored: ignored})
}

func (t *tracer) trace(m Traced) {
	if t.tell == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heard == nil || len(t.heard) >= maxAgain {
		t.heard, t.seed = map[uint64]bool{}, maphash.MakeSeed()
	}
	sum := maphash.Bytes(t.seed, m.Bytes)
	m.Again = t.heard[sum]
	t.heard[sum] = true
	t.tell(m)
}
