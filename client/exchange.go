package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"biloxi/sip"
)

// TimeoutError is a request without a final response when Timer F fired, or the context ended.
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

// exchange is one non-INVITE client transaction (RFC 3261 §17.1.2).
type exchange struct {
	client  *Client
	conn    *conn
	request []byte
	branch  string
	cseq    sip.CSeq
	callID  string
	result  *Result // counts go there
	message sip.Message
}

// run sends the request and waits for the final response, which is valid until the connection is read
// again.
func (t *exchange) run(ctx context.Context) (*sip.Message, error) {
	cn := t.conn
	start := time.Now()
	end := start.Add(t.client.timers.F())
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		end = d
	}
	// A context that ends wakes the read. It may do so late, and then only makes a later read look again.
	stop := context.AfterFunc(ctx, func() { cn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := t.send(end, false); err != nil {
		return nil, err
	}
	// RFC 3261 §17.1.2.2: Timer E runs over UDP alone; doubled each time it fires, up to T2.
	wait := t.client.timers.T1
	again := start.Add(wait)
	if cn.server.Transport.Reliable() {
		again = end
	}
	heard := false
	for {
		b, err := cn.next(earlier(again, end))
		if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		switch {
		case err == nil && t.takes(b):
			if t.message.StatusCode() >= 200 {
				return &t.message, nil
			}
			// RFC 3261 §17.1.2.2, Proceeding: from now on Timer E is T2.
			if heard = true; !cn.server.Transport.Reliable() {
				wait = t.client.timers.T2
				again = time.Now().Add(wait)
			}
		case err == nil:
		case !isTimeout(err):
			return nil, err
		case !time.Now().Before(end):
			return nil, &TimeoutError{Server: cn.server, After: time.Since(start).Round(time.Millisecond), Heard: heard}
		case !time.Now().Before(again):
			if err := t.send(end, true); err != nil {
				return nil, err
			}
			wait = min(2*wait, t.client.timers.T2)
			again = time.Now().Add(wait)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (t *exchange) send(end time.Time, again bool) error {
	if err := t.conn.SetWriteDeadline(end); err != nil {
		return err
	}
	t.trace(t.request, true, again, false)
	if again {
		t.result.Retransmissions++
	}
	_, err := t.conn.Write(t.request)
	return err
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
