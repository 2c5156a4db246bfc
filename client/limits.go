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

	// turn is how often a Client's transaction layer is looked at while nothing comes: its tick.
	turn = 10 * time.Millisecond

	// maxForwards is the hop limit of a request (RFC 3261 §8.1.1.6: SHOULD be 70).
	maxForwards = 70

	// maxInbox is how much may wait for an Agent's loop: some seconds of a flood, which is no call.
	maxInbox = 4096

	// maxMedia and maxFormats bound what is read of a session description: calls have two or three media,
	// and browsers offer some twenty formats.
	maxMedia   = 32
	maxFormats = 128

	// maxRedirects is how many 3xx one call follows (RFC 3261 §8.1.3.4 leaves it open): more is a loop.
	maxRedirects = 5

	// maxRoutes is the longest route set that is kept: as many as Max-Forwards lets proxies be.
	maxRoutes = maxForwards

	// maxReplies is how many responses of one call are kept, how many legs of a fork are hung up, and how many
	// contacts of a 3xx are looked at: more of any is a flood.
	maxReplies = 100

	// maxCalls is how many calls an Agent answers at a time; the next caller gets 486.
	maxCalls = 1000

	// maxAgain is how many messages a trace remembers, to tell one that goes again.
	maxAgain = 4096

	// DefaultRinging is how long a call may go unanswered before it is cancelled: a proxy gives up after
	// Timer C, which is more than three minutes (RFC 3261 §16.6 step 11).
	DefaultRinging = 3 * time.Minute

	// graceTime is how long an Agent that was interrupted waits for answers to its last words.
	graceTime = 5 * time.Second

	// ringAgain is how often a 180 is repeated, so that no proxy takes the call for lost (RFC 3261
	// §13.3.1.1: every minute).
	ringAgain = time.Minute

	// DefaultExpires is how long an Agent registers for, unless it is told.
	DefaultExpires = time.Hour

	// registerAgain is how long an Agent waits after a registration that failed.
	registerAgain = 30 * time.Second

	// hopsKept is how many connections an Agent remembers by the address that it opened them to.
	hopsKept = 64
)

// lookupTimeout is how long a host name may take to be found, so that something can still be sent in time.
const lookupTimeout = 10 * time.Second
