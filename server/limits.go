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
)
