package bench

import "time"

const (
	// batchSize is the most datagrams of one system call: more gain nothing that could be measured.
	batchSize = 64

	// maxDatagram is the largest datagram that is read. Answers to what is sent here take a few hundred
	// bytes, and a list of contacts some thousands.
	maxDatagram = 8 << 10

	// maxSegments and maxSegmented are the most datagrams, and bytes of them, that the system takes as one
	// message (Linux: 64 until 6.8, and what a datagram can hold).
	maxSegments  = 64
	maxSegmented = 60000

	// socketBuffer is what is asked of the system for datagrams that wait, in bytes: a burst of all lanes.
	socketBuffer = 4 << 20

	// streamBuffer is what is read from a connection at once, and where its buffer begins to grow from.
	streamBuffer = 4 << 10

	// maxHead and maxBody are the largest message that is taken from a stream, in bytes.
	maxHead = 16 << 10
	maxBody = 64 << 10

	// scanDatagrams and scanStreams are how often timers are looked at. On UDP, retransmissions are due
	// after T1, of which this is a fiftieth; on streams only Timer F can be.
	scanDatagrams = 10 * time.Millisecond
	scanStreams   = 500 * time.Millisecond

	// gatherFrom and gatherTime: from so many operations under way, answers are gathered for so long (the
	// system adds some 50 µs). It halves the tool's cost, and the server's wake-ups.
	gatherFrom = 16
	gatherTime = 30 * time.Microsecond

	// restTime is how long it must be quiet, when all calls have ended, before nobody listens for a late
	// ACK any more.
	restTime = 50 * time.Millisecond

	// maxSearch is how many subscribers are looked at for one that has no request under way.
	maxSearch = 256

	// maxNonce is the longest nonce that is taken.
	maxNonce = 1 << 10

	// maxLanes is the most operations of one worker at a time: what a branch has digits for.
	maxLanes = 1 << 24

	// maxWorkers is the most workers: what a branch has digits for.
	maxWorkers = 1 << 16

	// maxSample is how much of a wrong answer is kept, to be shown.
	maxSample = 2 << 10

	// dialTimeout is how long a connection may take to open, TLS included: thousands may be waiting.
	dialTimeout = 60 * time.Second

	// writeTimeout is how long a server may not read from a connection before it is given up.
	writeTimeout = 5 * time.Second

	// ringTimeout is how long a call may ring, as Timer C of a proxy (RFC 3261 §16.6 step 11).
	ringTimeout = 3 * time.Minute
)
