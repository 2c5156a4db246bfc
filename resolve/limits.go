package resolve

import "time"

// Limits of a look-up and of an answer.
const (
	// MaxTargets is the most targets that a look-up gives. A caller who has tried so many, each for up to
	// 32 s, has long given up.
	MaxTargets = 64

	// maxRecords is how many records of one name and type are used, those with the lowest priority first.
	// More servers of one domain are seen nowhere, and each is a question or two.
	maxRecords = 16

	// maxServices is how many NAPTR records of one domain are followed: one for each transport, and one
	// more. With maxRecords it bounds what one request can make us ask.
	maxServices = 4

	// maxAliases is how long a chain of CNAME records may be.
	maxAliases = 8

	// maxRounds is how often a look-up may find that it needs to know more: NAPTR, SRV, addresses, and an
	// alias for each.
	maxRounds = 16

	// maxName is the longest name in DNS as it is written, without the dot at its end (RFC 1035 §2.3.4).
	maxName = 253

	// maxLabel is the longest part of a name (RFC 1035 §2.3.4).
	maxLabel = 63
)

// Limits of memory.
const (
	// MaxTTL is how long an answer is remembered at the most, in case a server says a year by mistake.
	MaxTTL = 24 * time.Hour

	// MaxNegativeTTL is how long it is remembered that there is no record. RFC 2308 §5 suggests up to some
	// hours; a domain that has just got its first SRV record should not wait for so long.
	MaxNegativeTTL = 5 * time.Minute

	// failureTTL is how long a failure of the name servers is remembered, so that many calls to one broken
	// domain cost one attempt (RFC 2308 §7 allows five minutes). It is short, since the next attempt may
	// well succeed.
	failureTTL = 5 * time.Second

	// strangersCached is the part of them, one in so many, that strangers can fill: what others have asked for is not
	// driven out by names that somebody makes up.
	strangersCached = 4

	// DefaultMaxCached is the number of answers that are remembered, some hundred bytes each: the domains
	// that a busy proxy talks with in a day.
	DefaultMaxCached = 16384

	// evictionSample is of how many answers the one that ends first makes room for a new one.
	evictionSample = 8
)

// Limits of the work under way.
const (
	// DefaultWorkers is how many questions are asked at once. With 20 ms to a name server they are 12,800 a
	// second, with 5 s to one that says nothing some 50; an idle worker costs a few kilobytes.
	DefaultWorkers = 256

	// Of the workers, one part in so many is for the questions of one source, one for those of one stranger, and one for
	// those about one zone: 16, 8 and 8 at once, since an answer takes some 20 ms, and what does not answer is not to have
	// all of them. Strangers together have half.
	sourcePart   = 16
	strangerPart = 32
	zonePart     = 32

	// The same of the look-ups that may wait: 128 of one source, which may be an office, and 64 of one stranger.
	sourceWaits   = 32
	strangerWaits = 64

	// DefaultMaxPending is how many look-ups may wait for DNS; the next one gets ErrBusy. It is what a
	// proxy that forwards 400 new calls a second has waiting when its name server is dead.
	DefaultMaxPending = 4096

	// silentAfter is how many questions of a zone in a row get no answer until it counts as silent: those of one look-up.
	// silentAbove is the same for a zone above it, which may have others that answer.
	silentAfter = 4
	silentAbove = 16

	// maxAbove is how many zones above one are looked at.
	maxAbove = 4

	// maxSilence is how long a zone is not asked at the most, and so how long one that is back is not found.
	maxSilence = 10 * time.Second

	// maxSilent is how many zones are remembered that did not answer.
	maxSilent = 1024

	// slowFailure is from when on a failure is taken for silence: a resolver on the way says SERVFAIL when it has
	// waited long enough for the zone's servers.
	slowFailure = time.Second

	// lookupTime is how long a look-up may take: a caller who waits longer hangs up, and a request that is
	// forwarded later has been given up by a client that does not retransmit over UDP.
	lookupTime = 10 * time.Second

	// questionTime is how long one question may take with all its servers and attempts. A resolver on the
	// way tries for some seconds itself before it answers SERVFAIL.
	questionTime = 5 * time.Second

	// tryTime is how long one server may take for one answer at first: longer than a round trip by satellite.
	// The next time it may take twice as long, since it may have to ask slow servers itself.
	tryTime = 1500 * time.Millisecond

	// attempts is how often a server that says nothing is asked: a datagram may be lost.
	attempts = 2

	// serverRest is how long a name server that said nothing is asked after the others.
	serverRest = 30 * time.Second

	// datagramSize is the largest answer that we take by UDP: it fits an Ethernet frame over IPv6 with
	// room to spare, so that no fragment is lost.
	datagramSize = 1232
)

// Limits of what failed.
const (
	// DefaultRest is how long a target that failed is put last. A dead one costs its first caller 32 s
	// (64*T1), so trying it again must be rare; one that is back should share the load soon.
	DefaultRest = time.Minute

	// MaxRest is the longest rest that a Retry-After can ask for, so that a server cannot take itself out
	// for ever by a mistake; and how long a failure is remembered after its rest, if nobody says what came
	// of the next attempt.
	MaxRest = 10 * time.Minute

	// probeTime is how long the others still put a target last while one caller tries it again: as long
	// as that can take, 64*T1 (RFC 3261 §17.1.1.2, Timer B).
	probeTime = 32 * time.Second

	// maxFailed is how many failed targets are remembered. An attacker who makes us fail towards many
	// addresses can push others out; they are then tried in their turn again.
	maxFailed = 4096
)
