package sip

import (
	"strconv"
	"time"
)

func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// ParseDeltaSeconds reads delta-seconds (RFC 3261 §20.19). A number over 2^32-1 is 2^32-1. Not a
// number: !ok.
func ParseDeltaSeconds(b []byte) (seconds uint32, ok bool) {
	n, _, ok := parseUint(b, MaxDeltaSeconds)
	return uint32(n), ok
}

// Seconds is the duration of delta-seconds.
func Seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }

// DeltaSeconds is the delta-seconds of a duration, rounded up, so that what is still to wait is never
// shown as over: 0 for a negative one, at most 2^32-1.
func DeltaSeconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	n := (d-1)/time.Second + 1
	if n > MaxDeltaSeconds {
		return MaxDeltaSeconds
	}
	return uint32(n)
}

// Presence is what a header field or parameter with a number turned out to be: not there, there and not
// readable, or there. What a malformed one stands for is the caller's: RFC 3261 §10.2.1.1 has a malformed
// expiry be 3600.
type Presence uint8

// The three results. The zero value is Absent.
const (
	Absent Presence = iota
	Malformed
	Present
)

func presence(there, ok bool) Presence {
	switch {
	case !there:
		return Absent
	case !ok:
		return Malformed
	}
	return Present
}

// Uint32 reads a header field whose value is one number, as Expires, Min-Expires, Max-Forwards and
// Max-Breadth are. A number over 2^32-1 is 2^32-1.
func (m *Message) Uint32(h Header) (n uint32, p Presence) {
	v, there := m.Value(h)
	n, ok := ParseDeltaSeconds(v)
	return n, presence(there, ok)
}

// Expires reads the Expires header field (RFC 3261 §20.19).
func (m *Message) Expires() (seconds uint32, p Presence) { return m.Uint32(HeaderExpires) }

// MaxForwards reads the Max-Forwards header field (RFC 3261 §20.22). One over 255 is malformed.
func (m *Message) MaxForwards() (hops uint8, p Presence) {
	n, p := m.Uint32(HeaderMaxForwards)
	if n > 255 {
		return 0, Malformed
	}
	return uint8(n), p
}

// AppendRetryAfter appends a Retry-After header field (RFC 3261 §20.33): whole seconds, rounded up, and at
// least one.
func AppendRetryAfter(dst []byte, d time.Duration) []byte {
	return AppendFieldUint(dst, HeaderRetryAfter, uint64(max(1, DeltaSeconds(d))))
}
