package transport

import (
	"net/netip"

	"biloxi/sip"
)

// Send takes a copy of the message b, to send it along flow at the next Flush, or with what leaves at the
// end of the batch that a reader is at. It can be called from any goroutine and does not wait for the peer.
//
// Over UDP it goes to `to` from the flow's local address. On a stream it goes down the flow's connection,
// one that is being opened too ([Transport.Open]). If that has closed, a new one is opened to `to`
// (RFC 3261 §18.2.2), for TCP only, and not if `to` is no address: what must go down this flow or not at all
// says so. Messages of one goroutine to one flow leave in order; those that a Handler gives to [Out.Reply]
// leave before what was sent in the same batch.
//
// An error means that b is not sent. Without one it may still be lost: see [Config.Undelivered].
func (t *Transport) Send(flow sip.Flow, to netip.AddrPort, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if flow.Transport == sip.UDP {
		return t.post(flow, to, b)
	}
	if c := t.conns.find(flow.Serial); c != nil && c.is(flow) {
		if err := t.postTo(c, b); err != ErrGone {
			return err
		}
		if c.partWith(to, b) {
			return nil
		}
	}
	return t.redial(flow, to, b)
}

// post has a datagram wait for the next flush.
func (t *Transport) post(flow sip.Flow, to netip.AddrPort, b []byte) error {
	for _, s := range t.sockets {
		if !s.has(flow.Local) {
			continue
		}
		if why := s.unsendable(to, b); why != noCounter {
			t.counts.add(sip.UDP, why, 1)
			return ErrTo
		}
		s.post(datagram{data: b, to: to, from: flow.Local.Addr()})
		return nil
	}
	t.counts.add(sip.UDP, unsentAddress, 1)
	return ErrFlow
}

// postTo has a message wait for the next flush of a connection.
func (t *Transport) postTo(c *conn, b []byte) error {
	err := c.post(b)
	if err == ErrFull {
		t.counts.add(c.flow.Transport, unsentQueue, 1)
	}
	return err
}

// Flush lets what earlier Sends were given leave, in as few writes as can be.
func (t *Transport) Flush() { t.flush() }

// flush is Flush. It returns how many messages left.
func (t *Transport) flush() (n int) {
	for _, s := range t.sockets {
		n += s.flush()
	}
	if t.unflushed.Load() == nil {
		return n
	}
	for c := t.unflushed.Swap(nil); c != nil; {
		next := c.next
		c.next = nil
		c.marked.Store(false) // what is posted from here on marks it again
		n += c.flush()
		c = next
	}
	return n
}

// mark puts a connection on the list of those that wait for a flush, a stack that is taken as a whole. Who has
// set its mark may do so.
func (t *Transport) mark(c *conn) {
	for {
		c.next = t.unflushed.Load()
		if t.unflushed.CompareAndSwap(c.next, c) {
			return
		}
	}
}
