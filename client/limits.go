package client

import (
	"time"

	"biloxi/sip"
)

const (
	// MaxUnpinnedDatagram is the largest request that goes over UDP when no transport was asked for
	// (RFC 3261 §18.1.1: 1300 bytes where the path MTU is not known).
	MaxUnpinnedDatagram = 1300

	// maxDatagram is the largest datagram that is read: what a message may be (RFC 3261 §18.1.1).
	maxDatagram = sip.MaxDatagram

	// maxStream is the most that is kept of a stream before a message is whole: the largest message.
	maxStream = sip.MaxHead + sip.MaxBody

	// readSize is what one read of a stream asks for: a REGISTER's answer fits several times over.
	readSize = 8 << 10

	// maxLogins is the most realms whose nonces are kept: a registrar and the proxies on the way to it.
	maxLogins = 8

	// maxRequests is the most requests of one call, retransmissions not counted: challenges of a few
	// realms, one stale nonce and one 423, and no server that goes on for ever.
	maxRequests = 8

	// maxAddresses is the most addresses of a host that are tried.
	maxAddresses = 8

	// connectTimeout is how long one address may take to connect, so that a dead one leaves time for
	// the next within Timer F.
	connectTimeout = 10 * time.Second

	// maxForwards is the hop limit of a request (RFC 3261 §8.1.1.6: SHOULD be 70).
	maxForwards = 70
)
