package transaction

import "time"

const (
	// DefaultMax is how many transactions are at work in a layer at a time when its Config does not say: calls
	// that ring for 20 s have two each, so that this is some 5000 new ones a second. It is 300 MB of messages at the
	// most; what their user keeps for them is as much again and more.
	DefaultMax = 200_000

	// DefaultMaxFinished is how many bytes of finished transactions a layer holds when its Config does not say.
	// 30,000 requests a second whose responses are 400 bytes leave 440 MB of them in the 32 s of Timer J.
	DefaultMaxFinished = 512 << 20

	// MaxBytesEach is what one transaction at work may cost on average, in bytes. When all of them keep Max times
	// as many bytes of messages, new ones are refused as if there were Max of them.
	MaxBytesEach = 1536
)

const (
	// reserve is the share of Max, one in so many, that is kept for running work: requests within a dialog and
	// what is forwarded for requests that were let in. A flood of INVITEs must not keep calls from ending.
	reserve = 8

	// maxUnacknowledged is how many refusals of strangers' INVITEs Timer G sends again at a time, in all: a hundred a
	// second that have a round trip of a second, and every tenth ACK lost. With ten copies each in 32 s that is 320
	// datagrams a second at the most that forged sources cause. What is over it is sent again once.
	maxUnacknowledged = 1024

	// maxUnacknowledgedEach is the same for one source, or the /64 of an IPv6 one, with twice as many for its /56:
	// another domain's proxy, whose callers all come from one address.
	maxUnacknowledgedEach = 16

	// refusedSlots is how many slots these sources are counted in: a few for each of maxUnacknowledged.
	refusedSlots = 4096

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

	// transactionBytes is what a finished transaction that is no record is counted as, but for what it keeps: the
	// size of its memory.
	transactionBytes = 208

	// chunkBytes is how much memory a log takes at a time: as much as a position in it can tell, and little
	// enough that one for each shard is no loss.
	chunkBytes = unit << offsetBits

	// maxLogged is the longest response that a log holds, so that what is lost at the end of a chunk is a fraction of
	// it. What does not fit lasts as a transaction.
	maxLogged = chunkBytes / 8

	// spareChunks is how many chunks of a layer wait to be used again, 4 MB; more go back to the system.
	spareChunks = 64

	// firstChunks is how many chunks the ring of a log begins with, and firstSlots how many slots its index does,
	// powers of two.
	firstChunks = 4
	firstSlots  = 64

	// slotShare is what a record's part of the index is counted as: a slot, and as much again that is empty.
	slotShare = 16

	// firstBuckets is how many buckets a shard's table begins with, a power of two.
	firstBuckets = 64

	// scratchBytes is the largest scratch buffer that a shard keeps: what was built in it is short.
	scratchBytes = 16 << 10

	// maxForwards is that of a request that is made here (RFC 3261 §8.1.1.6).
	maxForwards = 70

	// shortenFrom is how many bytes of messages a layer keeps before it shortens those of INVITEs that ring: some 1,000
	// calls, which a busy server whose calls are answered at once never has. One of shortenSize is shortened always.
	shortenFrom = 1 << 20
	shortenSize = 4 << 10
)
