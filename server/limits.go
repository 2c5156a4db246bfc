package server

import "time"

const (
	// maxHost is the longest host that is looked up: a name of RFC 1035 with room for a final dot.
	maxHost = 256

	// maxLogged is how much of a header field stands in the log, in bytes: a peer chooses it.
	maxLogged = 128

	// refusalLog is how often one reason for a refusal is logged: a flood makes a line a second.
	refusalLog = time.Second

	// retryAfterStore is how long a phone is asked to wait when the disk failed or too much waits for it:
	// longer than the second in which the store tries to recover, short enough not to be missed.
	retryAfterStore = 5 * time.Second

	// retryAfterLoad is how long a caller is asked to wait when too many transactions are held: by then some of those
	// that wait for nothing but retransmissions (32 s) are over.
	retryAfterLoad = 5 * time.Second

	// maxDatagram is the largest request that goes out as a datagram where the path's MTU is not known (RFC 3261
	// §18.1.1), in bytes.
	maxDatagram = 1300

	// maxKept is the largest buffer that is kept for the next request, in bytes: one large message leaves nothing
	// behind.
	maxKept = 16 << 10

	// alarmTick is how exactly Timer C fires: it is three minutes at the least.
	alarmTick = time.Second
)
