package transaction

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// Sender is what the layer sends through: the transport. Send copies b. It does not wait for the peer and does
// not call the layer, which may hold a lock. An error is that b cannot be delivered (RFC 3261 §17.1.4); what it
// learns later it reports by [Layer.Undelivered].
type Sender interface {
	Send(flow sip.Flow, to netip.AddrPort, b []byte) error
}

// User is what stands above the layer: a proxy core, or a user agent (RFC 3261 §17: the transaction user).
//
// Its methods are called on the goroutine of whoever calls the layer, without a lock, so that they may call the
// layer. Those for one transaction may overlap when its messages come in on several goroutines; Terminated is
// always the last one. owner is what the user gave when it made the transaction. Messages are valid until the
// method returns.
type User interface {
	// Request is a request that belongs to no transaction, an ACK included. To answer it statefully:
	// [Layer.NewServer].
	Request(now time.Time, req *sip.Request, flow sip.Flow)

	// Cancel is a CANCEL that belongs to no transaction yet and means the server transaction id (RFC 3261
	// §9.2). One that means nothing is a Request. The user answers it either way. owner is nil where the user's
	// part in what it means is over, and id may be zero then.
	Cancel(now time.Time, id ID, owner any, req *sip.Request, flow sip.Flow)

	// Ack is an ACK for the 2xx that was sent on the INVITE server transaction id, if it has its branch (RFC
	// 6026 §7.1: an RFC 2543 client's has). Any other ACK for a 2xx is a Request.
	Ack(now time.Time, id ID, owner any, req *sip.Request, flow sip.Flow)

	// Response is a response to the client transaction id that the user has not seen: each provisional one,
	// the final one, and every 2xx to INVITE.
	Response(now time.Time, id ID, owner any, resp *sip.Message, flow sip.Flow)

	// Timeout: no final response came to the client transaction id (Timers B and F, or 64*T1 after a CANCEL),
	// or no ACK to the INVITE server transaction id (Timer H). RFC 4320 §4.2: a non-INVITE request gets no 408.
	Timeout(now time.Time, id ID, owner any)

	// TransportError: something could not be sent. A client transaction is over with it (RFC 3261 §17.1.4), a
	// server transaction goes on (RFC 6026 §8.8). Of a response sent again after Terminated nobody hears.
	TransportError(now time.Time, id ID, owner any, err error)

	// Terminated: the transaction id is over for the user, and nothing more comes of it. What belongs to it is
	// absorbed for as long as the RFC has it.
	Terminated(now time.Time, id ID, owner any)
}
