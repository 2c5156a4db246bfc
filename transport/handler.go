package transport

import "biloxi/sip"

// Arrival is a message that has come.
type Arrival struct {
	Flow sip.Flow
	Data []byte // one message; it is the Handler's until Receive returns

	// Err tells of a message on a stream that could not be bounded (a [sip.SyntaxError]): Data is then as
	// much of its header section as is known, maybe nothing. A request can still be answered; the
	// connection is closed afterwards. nil if Data is a whole message.
	Err error

	// PeerCertificate holds the SIP domains that a certificate of the peer which was verified speaks for
	// ([Identities]), a client's or, where we opened the connection, the server's; empty but not nil if it
	// speaks for none. nil if the peer showed no certificate: such a peer has not authenticated itself
	// (RFC 5922 §7.4).
	PeerCertificate []string
}

// Handler takes messages. Receive is called from many goroutines at once, one per socket for datagrams
// and one per connection, and in order on each; nothing more is read there until it returns. What it has sent
// by [Transport.Send] leaves, as its answers do, at the end of the reader's batch.
type Handler interface {
	Receive(out *Out, in *Arrival)
}
