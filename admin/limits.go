package admin

import "time"

// Limits of the control socket. Its clients are administrators, but a stuck one must not stay for ever.
const (
	// MaxPage is the largest page of a list: some 100 KiB of JSON.
	MaxPage = 1000

	// maxBody is the largest body of a request that is no import: an AOR and a password.
	maxBody = 64 << 10

	// maxAnswer is the largest answer that a client reads: a page of AORs with all contacts they may have.
	maxAnswer = 256 << 20

	// maxProblems is how many bad lines of an import are named; the rest are counted.
	maxProblems = 1000

	// requestTimeout is how long a request that is no import may take.
	requestTimeout = 30 * time.Second

	// importStall is how long an import waits for more of its file.
	importStall = 30 * time.Second

	// headerTimeout and idleTimeout close connections that nobody uses.
	headerTimeout = 5 * time.Second
	idleTimeout   = time.Minute

	// dialTimeout is how long a server may take to accept a connection; one that is there takes no time.
	dialTimeout = 2 * time.Second

	// progressEvery is how many lines of an import pass between two words on its progress.
	progressEvery = 1 << 12

	// progressInterval is the least time between two words on progress that go over the socket.
	progressInterval = 200 * time.Millisecond

	// maxRuling is the longest time that a rule of the defence may have, in seconds: longer than anybody's memory, and
	// a time that can be computed with.
	maxRuling = 1<<32 - 1

	// maxSocketPath is the longest name of a Unix socket that all systems take, in bytes (Linux: 107).
	maxSocketPath = 100
)
