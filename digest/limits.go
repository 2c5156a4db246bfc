package digest

import "time"

const (
	// DefaultNonceLifetime is how long a nonce serves. A phone that refreshes every half hour or hour is
	// challenged once in several refreshes; replays are the window's business, not the lifetime's.
	DefaultNonceLifetime = 4 * time.Hour

	// DefaultMaxNonces is the number of nonces in use that are remembered: half a million phones with
	// room to spare. It takes 68 bytes for each: half a megabyte at first, 71 MB when there are so many.
	DefaultMaxNonces = 1 << 20

	// ncWindow is how far a nonce count may stay behind the highest one seen: as many as the bits of a
	// word, and far more than requests overtake each other on a way.
	ncWindow = 64

	// rememberFor is how long a request may be retransmitted: Timer F, 64*T1 (RFC 3261 §17.1.2.2). It is
	// no longer than the tombstone of a removed binding lives, so that no repeat raises the dead.
	rememberFor = 32 * time.Second

	// remembered is how many requests with one nonce are known again: a client has one REGISTER pending
	// (RFC 3261 §10.2), and the one before it may still be on its way.
	remembered = 2

	// ways is the number of entries in one set of the window. Sets of 16 that are half full on average
	// overflow in 0.4 % of the cases.
	ways = 16

	// windowShards is the number of independent parts of a window: with 64 the chance that two of 16 cores
	// want the same lock at once is small, and no part takes longer than a millisecond to double.
	windowShards = 64

	// firstSets is the least number of sets that a part of the window begins with: enough for some thousand
	// phones. A part's size, rounded up to a doubling of 8 to 15, is too large by an eighth at the most.
	firstSets = 8

	// maxScratch is the largest buffer that is kept for the next check: many times the usual 200 bytes,
	// and far below what one hostile message could leave behind.
	maxScratch = 4 << 10

	// maxA2 is the longest A2 whose hash is kept: a method and the URI of a registrar or of a user.
	maxA2 = 128
)
