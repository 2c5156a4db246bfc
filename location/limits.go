package location

import "time"

const (
	// TombstoneLifetime is how long a removed binding is remembered, so that a late retransmission of the
	// request that made it does not raise it again: as long as one can come over UDP, 64*T1 (RFC 3261
	// §17.1.2.2, Timer F).
	TombstoneLifetime = 32 * time.Second

	// clockSlack is how far the clock may be behind what a record says before it was set back: two readings of it, and
	// what keeps it right, differ by less.
	clockSlack = time.Second

	// MaxTombstones is the largest number of tombstones that one AOR keeps; the ones that would be
	// forgotten first go first. A phone that registers and unregisters in a loop for 32 s must not grow
	// its record without bound.
	MaxTombstones = 32

	// MaxRecord is the largest encoded record of one AOR, in bytes: ten contacts, each with the largest
	// header section that a stream may bring, fit. A change that would be larger is refused.
	MaxRecord = 512 << 10

	// MaxAOR is the longest AOR key, in bytes. It fits any user part and domain that a datagram can bring
	// and that a person could dial.
	MaxAOR = 4 << 10

	// MaxPage is the largest page that List gives. What a page holds is copied, so that a change never
	// waits for a reader.
	MaxPage = 10_000
)

// Limits of the index.
const (
	// shardCount is the number of independent parts of an index, a power of two. With 64 the chance that
	// two of 16 cores want the same lock at once is small, and an empty index costs about 1 MB.
	shardCount = 64

	// pageSize is the size of one arena page in bytes: a size class of Go's allocator, so nothing is lost.
	pageSize = 8 << 10

	// grain is the unit that places in a page are counted in, in bytes. It bounds what rounding wastes.
	grain = 16

	// maxClassed is the largest item, in bytes, that shares a page with others. A larger one has its own.
	maxClassed = 2 << 10

	// slotBits is the size of a slot's number in the hash table: a billion AORs in all shards, more than any
	// memory holds.
	slotBits = 24
	slotMask = 1<<slotBits - 1

	// wheelSlots is the number of seconds that an expiry wheel spans, a power of two: the default expiry
	// of an hour fits, so that most AORs are looked at once. What is due later is passed over each time.
	wheelSlots = 4096

	// fireBudget is the most AORs that one update looks at for expiry, so that a second in which a million
	// expire costs nobody a pause.
	fireBudget = 32

	// sliceSlots is how many slots are copied under one hold of a shard's lock when all are walked.
	sliceSlots = 256
)
