package sip

// Limits of what one message may hold. A message over a limit is a syntax error, not a reason to grow.
const (
	// MaxDatagram is the largest datagram that is read (RFC 3261 §18.1.1: up to 65535 bytes with headers).
	MaxDatagram = 65535

	// MaxFields is the largest number of header fields in one message. The largest message of RFC 4475
	// has 43; a request that went through 70 proxies (RFC 3261 §8.1.1.6) has some 160.
	MaxFields = 256

	// MaxHead is the largest start-line and header section, in bytes, of a message on a stream: a Via and
	// a Record-Route of 200 bytes from each of 70 proxies fit.
	MaxHead = 32 << 10

	// MaxBody is the largest body, in bytes, of a message on a stream. Session descriptions take a few
	// thousand; presence documents and messages with pictures in them are the largest that phones send.
	MaxBody = 256 << 10

	// maxMended is the largest copy of a message with mended lines whose memory is kept for the next one: two
	// datagrams of an Ethernet.
	maxMended = 4 << 10

	// MaxParams is the largest number of parameters of one value or URI, and of headers of a URI. Comparing
	// two lists takes the product of their lengths. Contacts with all features of RFC 3840 have some 20.
	MaxParams = 64

	// MaxDeltaSeconds is the largest delta-seconds (RFC 3261 §20.19: 2^32-1).
	MaxDeltaSeconds = 1<<32 - 1

	// MaxCSeq is the largest sequence number (RFC 3261 §8.1.1.5: less than 2^31).
	MaxCSeq = 1<<31 - 1
)
