package registrar

import "math"

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
