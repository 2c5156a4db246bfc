package transport

import (
	"net/netip"
	"sync"
	"time"

	"biloxi/sip"
)

// farewell is what a connection that is to end waits for: answers to requests that came on it which are not ready, as
// that of a registration that is on its way to the disk. It takes no new requests meanwhile. What cannot be sent any
// more, because the peer has not only ended what it sends but has gone, goes the way of all answers whose connection
// is gone (RFC 3261 §18.2.2).
type farewell struct {
	mu      sync.Mutex
	answers []farewellAnswer
	over    bool
	gone    bool          // nothing arrives any more; of who says it
	signal  chan struct{} // that there is something, or that it was cut
}

type farewellAnswer struct {
	to netip.AddrPort
	b  []byte
}

// Owe tells that a request which came by flow is answered later, by [Transport.Send]: its connection does not close
// before, within reason. It is to be called before the answer can be sent. A final response settles it.
func (t *Transport) Owe(flow sip.Flow) {
	if c := t.conns.find(flow.Serial); c != nil && c.is(flow) {
		c.owed.Add(1)
	}
}

// Owe is [Transport.Owe] of in's flow.
func (o *Out) Owe(in *Arrival) {
	if o.conn != nil {
		o.conn.owed.Add(1)
	}
}

// Settle takes one Owe back: the request was answered by [Out.Reply] after all.
func (o *Out) Settle(in *Arrival) {
	if o.conn != nil {
		o.conn.settleOwed()
	}
}

// settleOwed notes that one answer less is owed.
func (c *conn) settleOwed() {
	for {
		n := c.owed.Load()
		if n > 0 && !c.authenticated.Load() {
			c.settled.Store(int64(c.t.now()))
		}
		if n <= 0 || c.owed.CompareAndSwap(n, n-1) {
			return
		}
	}
}

// waitsForAnswers reports whether a connection that ends for a reason does so only when all answers have left: where
// the peer still may read, sends nothing more that we could, and nobody needs its place or what it holds at once. One
// that was silent for too long may send again: it has to see the end at once, so that it opens another.
func waitsForAnswers(why counter) bool {
	switch why {
	case closedPeer, closedFraming, closedMessage:
		return true
	}
	return false
}

// isResponse reports whether a message that we send is a response, and final whether it is none of 1xx.
func isResponse(b []byte) (response, final bool) {
	const version = "SIP/2.0 "
	if len(b) <= len(version) || string(b[:len(version)]) != version {
		return false, false
	}
	return true, b[len(version)] != '1'
}

// partWith has an answer leave with the farewell, and reports whether there is one.
func (c *conn) partWith(to netip.AddrPort, b []byte) bool {
	f := c.parting.Load()
	if f == nil {
		return false
	}
	response, final := isResponse(b)
	if !response {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || len(f.answers) >= maxFarewells {
		return false
	}
	f.answers = append(f.answers, farewellAnswer{to, append([]byte(nil), b...)})
	if final {
		c.settleOwed()
	}
	f.wake()
	return true
}

func (f *farewell) wake() {
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

// next takes an answer; over with the last one if no more are owed.
func (f *farewell) next(last bool) (a farewellAnswer, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.answers) == 0 {
		f.over = last
		return a, false
	}
	a = f.answers[0]
	f.answers = f.answers[1:]
	return a, true
}

// sayFarewell waits for the answers that are owed, and sends them.
func (c *conn) sayFarewell() {
	f := &farewell{signal: make(chan struct{}, 1)}
	c.parting.Store(f)
	c.dropBuffers()
	c.t.counts.add(c.flow.Transport, connections, -1)
	c.t.counts.add(c.flow.Transport, partingConns, 1)
	defer func() {
		c.t.counts.add(c.flow.Transport, connections, 1) // which end takes off
		c.t.counts.add(c.flow.Transport, partingConns, -1)
	}()
	c.announce()
	c.flush()
	c.waitDrained(c.t.force)
	patience := time.NewTimer(transactionLife)
	defer patience.Stop()
	for stop := false; ; {
		gone := c.why.Load() != uint32(noCounter)
		for {
			last := stop || gone || c.owed.Load() <= 0
			a, ok := f.next(last)
			if !ok {
				if last {
					return
				}
				break
			}
			f.gone = !c.part(a, f.gone)
		}
		select {
		case <-f.signal:
		case <-patience.C:
			stop = true
		case <-c.t.finish:
			stop = true
		}
	}
}

// part sends one answer down the connection or, when that has gone, another; it reports whether the connection is
// there.
func (c *conn) part(a farewellAnswer, gone bool) bool {
	if !gone && c.why.Load() == uint32(noCounter) {
		c.flushing.Lock()
		_, err := c.write(a.b)
		c.flushing.Unlock()
		if err == nil {
			c.waitDrained(c.t.force)
			err = c.arrived()
		}
		if err == nil {
			c.t.counts.add(c.flow.Transport, sent, 1)
			return true
		}
	}
	if c.t.redial(c.flow, a.to, a.b) == nil {
		c.t.Flush()
	}
	return false
}

// arrived waits until the peer's system has taken what was written, and returns an error if it told that nobody is
// there: what was written to a peer that has closed is answered so.
func (c *conn) arrived() error {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return ErrGone
	}
	for wait := time.Millisecond; wait < arrivalTime; wait *= 2 {
		open, err := c.wire.unacknowledged()
		if err != nil || !open {
			return err
		}
		c.t.pauseUntil(wait, c.t.force)
	}
	return nil
}
