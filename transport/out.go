package transport

import "net/netip"

// Out collects the answers to one batch of messages; they leave in one write when the reader has run the
// batch. It belongs to the reader and is a Handler's only until Receive returns.
type Out struct {
	arena []byte
}

// Buffer returns an empty slice to append one message to. It is valid until the next call of Buffer or
// Reply.
func (o *Out) Buffer() []byte { return o.arena[len(o.arena):] }

// Reply answers in with the message b, best one that was appended to [Out.Buffer]; any other is copied.
// Over UDP it goes to `to`, from the address that in came to; on a stream it goes down in's connection and
// `to` means nothing.
func (o *Out) Reply(in *Arrival, to netip.AddrPort, b []byte) {}

// Authenticated tells that something on in's connection was authenticated: the connection may now live
// until it is idle. On UDP it means nothing.
func (o *Out) Authenticated(in *Arrival) {}
