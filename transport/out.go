package transport

import (
	"net/netip"
	"sync"
)

// Out collects the answers to one batch of messages, of one connection if it is a stream; they leave in one write
// when the reader has run the batch. It belongs to the reader and is a Handler's only until Receive returns.
type Out struct {
	arena    []byte     // what is to be written; the next answer goes behind it
	packets  []datagram // UDP: where the answers in arena go
	answers  int        // streams: how many are in arena
	messages int        // streams: how many were read
	socket   *socket    // UDP
	sender   packetSender
	conn     *conn // streams
	in       Arrival
}

// Buffer returns an empty slice to append one message to. It is valid until the next call of Buffer or
// Reply.
func (o *Out) Buffer() []byte {
	if cap(o.arena)-len(o.arena) < outRoom {
		o.flush()
	}
	return o.arena[len(o.arena):len(o.arena):cap(o.arena)]
}

// Reply answers in with the message b, best one that was appended to [Out.Buffer]; any other is copied.
// Over UDP it goes to `to`, from the address that in came to; on a stream it goes down in's connection and
// `to` means nothing.
func (o *Out) Reply(in *Arrival, to netip.AddrPort, b []byte) {
	switch {
	case len(b) == 0:
	case o.conn != nil:
		o.write(b)
		o.answers++
	default:
		if why := o.socket.unsendable(to, b); why != noCounter {
			o.socket.t.counts.add(o.socket.flow.Transport, why, 1)
			return
		}
		if cap(o.arena)-len(o.arena) < len(b) && !o.holds(b) {
			o.flush()
		}
		o.packets = append(o.packets, datagram{data: o.place(b), to: to, from: in.Flow.Local.Addr()})
	}
}

// Authenticated tells that user of realm was authenticated by something on in's connection: it may now live until it is
// idle, and gives way to nobody. Both are only told apart from others, and empty for one who is known otherwise, as a
// trusted peer is: one user has only so many such connections, of which the oldest count as those of strangers again.
// On UDP it means nothing.
func (o *Out) Authenticated(in *Arrival, realm, user []byte) {
	if o.conn != nil && !o.conn.authenticated.Load() {
		o.conn.authenticate(o.conn.t.userHash(realm, user))
	}
}

// Keep is [Transport.Keep] of in's flow.
func (o *Out) Keep(in *Arrival) {
	if o.conn != nil && !o.conn.kept.Load() {
		o.conn.kept.Store(true)
	}
}

// write adds bytes to what goes down the connection.
func (o *Out) write(b []byte) {
	if !o.holds(b) && len(o.arena) > 0 && cap(o.arena)-len(o.arena) < len(b) {
		o.flush()
	}
	o.place(b)
}

// holds reports whether b lies in the arena where the next answer goes.
func (o *Out) holds(b []byte) bool {
	n := len(o.arena)
	return n+len(b) <= cap(o.arena) && &o.arena[:n+1][n] == &b[0]
}

// place makes b, which is not empty, the last of the arena.
func (o *Out) place(b []byte) []byte {
	n := len(o.arena)
	if o.holds(b) {
		o.arena = o.arena[:n+len(b)]
	} else {
		o.arena = append(o.arena, b...)
	}
	return o.arena[n:len(o.arena):len(o.arena)]
}

// flush writes what was collected.
func (o *Out) flush() {
	switch {
	case len(o.arena) == 0:
		return
	case o.conn != nil:
		// RFC 3261 §18.2.2: down the connection that the request came on.
		if o.conn.answer(o.arena) == nil {
			o.conn.t.counts.add(o.conn.flow.Transport, sent, o.answers)
		}
	default:
		o.socket.write(o.sender, o.packets)
	}
	o.arena, o.packets, o.answers = o.arena[:0], o.packets[:0], 0
}

var streamOuts = sync.Pool{New: func() any { return &Out{arena: make([]byte, 0, streamOutBuffer)} }}

// borrowOut returns an Out for one read of a connection.
func borrowOut(c *conn) *Out {
	o := streamOuts.Get().(*Out)
	o.conn = c
	return o
}

func (o *Out) giveBack() {
	arena := o.arena[:0]
	if cap(arena) > 4*streamOutBuffer {
		arena = make([]byte, 0, streamOutBuffer) // one large answer is not kept
	}
	*o = Out{arena: arena}
	streamOuts.Put(o)
}
