package registrar

import (
	"math"
	"time"
)

// Limits of what one REGISTER may ask to be stored. A request over a limit is refused and changes nothing.
const (
	// DefaultMaxContacts is the number of live bindings of one AOR where the configuration gives none: a
	// person's phones, with room for the bindings that a crash left behind.
	DefaultMaxContacts = 10

	// maxRequestContacts is the number of Contacts in one REGISTER. Each is compared with each binding
	// while the AOR is locked. A UA registers its own few addresses; 32 are four interfaces of eight.
	maxRequestContacts = 32

	// maxContactURI is the length of a Contact URI in bytes. Push parameters (RFC 8599) make URIs of some
	// 500 bytes, flow tokens in the user part some 200.
	maxContactURI = 1024

	// maxContactURIParts is the number of parameters and headers of a Contact URI. The URI is compared with that
	// of each binding while the AOR is locked, which takes the square of it (RFC 3261 §19.1.4). Phones with push
	// parameters have some 15.
	maxContactURIParts = 24

	// maxComparedParams is the number of parameters of a Contact that stands twice, over which another order of
	// them counts as a difference: to compare them takes the square of it. Phones send some 10.
	maxComparedParams = 64

	// maxContactParams is the length in bytes of a Contact's own parameters. The feature tags of a
	// video phone (RFC 3840) take some 300.
	maxContactParams = 1024

	// maxPath is the length in bytes of all Path values together: each takes some 100, and a request
	// meets a handful of edges.
	maxPath = 2048

	// maxCallID is the length of a Call-ID in bytes, which is stored with each binding. A UUID and a
	// host name take some 100.
	maxCallID = 256

	// maxUserAgent is how much of a User-Agent is stored, in bytes; what is behind is cut off, because
	// only people read it.
	maxUserAgent = 128
)

// Limits of the record of one AOR, which each change writes as a whole.
const (
	// recordShare is how many bytes each contact that an AOR may have adds to what its live bindings may take
	// together. A phone with push parameters, feature tags, an instance and a Path takes some 1200, most take 300.
	recordShare = 1536

	// leastRecord is what they may take whatever max_contacts is, in bytes: one binding with all that a REGISTER
	// may bring fits.
	leastRecord = 8 << 10

	// bindingOverhead is what a binding takes beside its texts, in bytes: addresses, numbers and times.
	bindingOverhead = 120

	// contactOverhead is what a Contact takes in an answer beside its URI and parameters, in bytes: the name of the
	// field, brackets, q and expires.
	contactOverhead = 45

	// maxDatagram is the largest answer that a datagram carries, in bytes: 65535 less the heads of UDP and of IPv4
	//.
	maxDatagram = 65507

	// briefContact is the longest URI, and instance, of which a tombstone keeps the text, in bytes: what most phones
	// have is known again in other spellings too (RFC 3261 §19.1.4). Of a longer one it keeps a fingerprint.
	briefContact = 64

	// briefCallID is the same of a Call-ID, which is compared byte by byte.
	briefCallID = 40
)

// maxRetryAfter is the longest that a phone is told to wait where the AOR is full: somebody may make room by hand.
const maxRetryAfter = 5 * time.Minute

// Values that the RFC fixes, in seconds.
const (
	// malformedExpires stands for an expires that is no number (RFC 3261 §10.2).
	malformedExpires = 3600

	// briefLimit is the interval from which on 423 must not be used (RFC 3261 §10.3 step 7).
	briefLimit = 3600

	// neverSeconds is the largest delta-seconds: the expires of a binding that does not go stale
	// (RFC 3665 §2.2).
	neverSeconds = math.MaxUint32

	// maxRegID is the largest reg-id (RFC 5626 §4.2, §10: below 2^31 and not 0).
	maxRegID = 1<<31 - 1
)
