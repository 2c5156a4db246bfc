package transaction

import "time"

const (
	// DefaultMax is how many transactions a layer holds when its Config does not say: a call through a proxy
	// leaves three of them for 32 s, so that this is some 2000 calls a second. It is 300 MB at the most.
	DefaultMax = 200_000

	// MaxBytesEach is what one transaction may cost on average, in bytes. When all that are held keep Max times
	// as many bytes of messages, new ones are refused as if there were Max of them.
	MaxBytesEach = 1536
)

const (
	// reserve is the share of Max, one in so many, that is kept for running work: requests within a dialog and
	// what is forwarded for requests that were let in. A flood of INVITEs must not keep calls from ending.
	reserve = 8

	// shardCount is the number of independent parts of a layer, a power of two. With 32 the chance that two of
	// 8 cores want the same lock at once is small, and an empty layer costs half a megabyte.
	shardCount = 32

	// tick is how exactly timers fire: never early, and up to so much late. The shortest that matters is the
	// 200 ms before a 100 (RFC 3261 §17.2.1).
	tick = 10 * time.Millisecond

	// wheelSlots is how many ticks the timer wheel of a shard spans: 20 s. A timer that is longer is looked at
	// once on the way.
	wheelSlots = 2048

	// fireBudget is the most transactions whose timers fire under one hold of a shard's lock.
	fireBudget = 32

	// spareTransactions is how many finished transactions a shard keeps for the next ones; more go to the
	// garbage collector, so that a flood leaves little behind.
	spareTransactions = 256

	// spareBytes is how much memory of each size class a shard keeps for the next messages.
	spareBytes = 64 << 10

	// firstBuckets is how many buckets a shard's table begins with, a power of two.
	firstBuckets = 64

	// scratchBytes is the largest scratch buffer that a shard keeps: what was built in it is short.
	scratchBytes = 16 << 10

	// maxForwards is that of a request that is made here (RFC 3261 §8.1.1.6).
	maxForwards = 70
)
