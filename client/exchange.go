package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
)

// TimeoutError is a request without a final response when Timer F or B fired, or the context ended.
type TimeoutError struct {
	Server Server
	After  time.Duration
	Heard  bool // a provisional response came, so somebody is there
}

func (e *TimeoutError) Error() string {
	if e.Heard {
		return fmt.Sprintf("%s: no final answer within %v", e.Server, e.After)
	}
	return fmt.Sprintf("%s: no answer within %v", e.Server, e.After)
}

// Timeout makes it one for those who ask.
func (e *TimeoutError) Timeout() bool { return true }

// exchange is one request of a Client with its final response, over one connection. Its transaction (RFC 3261
// §17.1.2) is one of package transaction, in a layer that it drives itself: nothing else runs meanwhile.
type exchange struct {
	client  *Client
	conn    *conn
	request []byte
	branch  string
	cseq    sip.CSeq
	callID  string
	result  *Result // counts go there
	message sip.Message

	id    transaction.ID
	end   time.Time // when nothing is waited for any more
	sent  int
	heard bool
	final bool  // message is the final response
	over  error // why there will be none
}

// errFired is Timer F.
var errFired = errors.New("no answer until Timer F")

// run sends the request and waits for the final response, which is valid until the connection is read
// again.
func (t *exchange) run(ctx context.Context) (*sip.Message, error) {
	cn, layer := t.conn, t.client.layer
	start := time.Now()
	t.end = start.Add(t.client.timers.F())
	if d, ok := ctx.Deadline(); ok && d.Before(t.end) {
		t.end = d
	}
	t.client.line.exchange = t
	flow := sip.Flow{Transport: cn.server.Transport, Local: cn.local, Remote: cn.remote}
	var err error
	if t.id, err = layer.NewClient(start, t.request, flow, cn.remote, nil); err != nil {
		return nil, err
	}
	defer func() { layer.Terminate(time.Now(), t.id) }()
	for {
		b, err := cn.next(earlier(time.Now().Add(turn), t.end))
		now := time.Now()
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return nil, ctx.Err()
		case err != nil && !isTimeout(err):
			return nil, err
		case err == nil && t.takes(b):
			layer.ReceiveResponse(now, &t.message, flow)
		}
		layer.Advance(now)
		switch {
		case t.final:
			return &t.message, nil
		case t.over != nil && t.over != errFired:
			return nil, t.over
		case t.over != nil || !now.Before(t.end):
			return nil, &TimeoutError{Server: cn.server, After: now.Sub(start).Round(time.Millisecond), Heard: t.heard}
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// takes parses what came, and says whether it is a response to the request. What is not is counted.
func (t *exchange) takes(b []byte) bool {
	ok := t.message.Parse(b) == nil && t.matches(&t.message)
	t.trace(b, false, false, !ok)
	if !ok {
		t.result.Ignored++
	}
	return ok
}

// matches is RFC 3261 §17.1.3 (branch and method), §18.1.2 and §8.1.3.3 (the one Via is ours), with the
// Call-ID and CSeq number on top.
func (t *exchange) matches(m *sip.Message) bool {
	top := m.Index(sip.HeaderVia)
	if !m.IsResponse() || !m.Version20() || top < 0 || m.Next(top) >= 0 {
		return false
	}
	value, _ := m.Value(sip.HeaderVia)
	via, rest, err := sip.NextVia(value)
	if err != nil || rest != nil || string(via.Branch()) != t.branch {
		return false
	}
	if host, err := netip.ParseAddr(string(bytes.Trim(via.Host, "[]"))); err != nil || host.Unmap() != t.conn.local.Addr() ||
		via.Port != t.conn.local.Port() {
		return false
	}
	cseq, err := m.CSeq()
	return err == nil && cseq == t.cseq && string(m.CallID()) == t.callID
}

func (t *exchange) trace(b []byte, sent, again, ignored bool) {
	if t.client.cfg.Trace == nil {
		return
	}
	t.client.cfg.Trace(Traced{Time: time.Now(), Sent: sent, Transport: t.conn.server.Transport, Local: t.conn.local,
		Remote: t.conn.remote, Bytes: b, Again: again, Ignored: ignored})
}

// line is what a Client's transaction layer sends through and tells: the exchange that runs.
type line struct{ exchange *exchange }

// Send writes the request, for the first time or again.
func (l *line) Send(_ sip.Flow, _ netip.AddrPort, b []byte) error {
	t := l.exchange
	if err := t.conn.SetWriteDeadline(t.end); err != nil {
		return err
	}
	again := t.sent > 0
	t.sent++
	t.trace(b, true, again, false)
	if again {
		t.result.Retransmissions++
	}
	_, err := t.conn.Write(b)
	return err
}

// Response notes a response to the request.
func (l *line) Response(_ time.Time, id transaction.ID, _ any, resp *sip.Message, _ sip.Flow) {
	if t := l.exchange; id == t.id {
		t.heard = true
		t.final = resp.StatusCode() >= 200
	}
}

// Timeout notes Timer F.
func (l *line) Timeout(_ time.Time, id transaction.ID, _ any) {
	if t := l.exchange; id == t.id {
		t.over = errFired
	}
}

// TransportError notes that the request could not be sent again.
func (l *line) TransportError(_ time.Time, id transaction.ID, _ any, err error) {
	if t := l.exchange; id == t.id {
		t.over = err
	}
}

// Request, Cancel, Ack and Terminated: a Client answers nothing, and asks for no more.
func (l *line) Request(time.Time, *sip.Request, sip.Flow) {}

func (l *line) Cancel(time.Time, transaction.ID, any, *sip.Request, sip.Flow) {}

func (l *line) Ack(time.Time, transaction.ID, any, *sip.Request, sip.Flow) {}

func (l *line) Terminated(time.Time, transaction.ID, any) {}
