package config

import "time"

// Bounds of what a configuration may ask for. They keep a slip of the keyboard ("64GiB" for "64KiB")
// from becoming an outage.
const (
	// maxFile is the largest configuration file, in bytes; the largest sensible one names some thousand
	// domains.
	maxFile = 16 << 20

	// minDialog and maxDialog bound how long a dialog needs no credentials: at the least some of the refreshes of its
	// session timer go by, and what somebody has kept of an old call is not good for ever.
	minDialog = 10 * time.Minute
	maxDialog = 720 * time.Hour

	// maxSecretFile is the largest file that a variable's value is read from, in bytes.
	maxSecretFile = 64 << 10

	// maxExpires is what a delta-seconds can say (RFC 3261 §20.19), less the value that means for ever.
	maxExpires = (1<<32 - 2) * time.Second

	// maxMinExpires: RFC 3261 §10.3 step 7 lets a registrar refuse an expiry as too brief only if it is
	// less than an hour.
	maxMinExpires = time.Hour

	// maxContacts bounds max_contacts: one change of an AOR looks at all of its bindings.
	maxContacts = 1000

	// maxJitter bounds jitter: half the expiry is left.
	maxJitter = 0.5

	// minInterval is the shortest time between two syncs of the journal.
	minInterval = time.Millisecond

	// minSnapshot is the smallest journal growth that is worth a snapshot.
	minSnapshot = 64 << 10

	// minPending holds a few changes of the largest size.
	minPending = 1 << 20

	// minHead and minBody take any ordinary request.
	minHead = 4 << 10
	minBody = 4 << 10

	// maxHead and maxBody bound what one peer can make a connection hold.
	maxHead = 1 << 20
	maxBody = 16 << 20

	// minIdle is how long RFC 3261 §18 has a connection stay open after a message, 64*T1.
	minIdle = 32 * time.Second

	// maxNonces bounds the memory of the replay window: some tens of bytes for each nonce.
	maxNonces = 1 << 26

	// minTimerC is what RFC 3261 §16.6 step 11 has Timer C be more than.
	minTimerC = 3 * time.Minute

	// maxTimerC bounds timer_c: each call that rings holds its transactions for so long, and nobody lets a
	// phone ring for an hour.
	maxTimerC = time.Hour

	// minTransactions is what one busy trunk needs; fewer, with the share that is kept for running calls,
	// refuse calls that are no flood.
	minTransactions = 1000

	// maxTransactions bounds the memory of transactions: at 1.5 KB each they take 24 GB.
	maxTransactions = 1 << 24

	// maxBreadth bounds max_breadth. RFC 5393 has it so that one request becomes no flood; with more than
	// this it would.
	maxBreadth = 1000

	// maxHops bounds a list of next hops: a dead one takes up to 32 s, and no caller waits for more of them.
	maxHops = 16

	// maxTries bounds tries: a password that a person chose falls to some thousand.
	maxTries = 1000

	// maxRefuseAfter bounds refuse_after: more would mean never.
	maxRefuseAfter = 1 << 20
)
