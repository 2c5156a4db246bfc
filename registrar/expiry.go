package registrar

import (
	"bytes"

	"biloxi/sip"
)

// RFC 3261 §10.3 step 7: the interval of each contact; one that is too brief refuses them all.
func (reg *Registration) chooseExpiry(req *sip.Request) *refusal {
	header, hasHeader := headerExpires(req)
	share := -1.0
	for i := range reg.contacts {
		c := &reg.contacts[i]
		seconds, asked := c.requested(header, hasHeader)
		if !asked {
			seconds = reg.registrar.unasked(c)
		}
		// Only if 0 < requested < 1 hour and requested < minimum.
		if seconds > 0 && seconds < briefLimit && seconds < reg.registrar.minExpires {
			return tooBrief
		}
		if reg.registrar.jitter > 0 && share < 0 {
			share = jitterShare(req)
		}
		c.granted = reg.registrar.grant(c, seconds, share)
	}
	return nil
}

// requested is the interval that the request asks for: of the parameter, else of the header field.
func (c *contact) requested(header uint32, hasHeader bool) (seconds uint32, ok bool) {
	if !c.hasParam {
		return header, hasHeader
	}
	return parseExpires(c.expires), true
}

// headerExpires reads the Expires header field.
func headerExpires(req *sip.Request) (seconds uint32, ok bool) {
	v, ok := req.Value(sip.HeaderExpires)
	if !ok {
		return 0, false
	}
	return parseExpires(v), true
}

// hasTwoExpires reports whether Expires stands twice with two values: there is no telling which is meant.
func hasTwoExpires(req *sip.Request) bool {
	first, _ := req.Value(sip.HeaderExpires)
	for i := req.Index(sip.HeaderExpires); i >= 0; i = req.Next(i) {
		if _, _, value := req.Field(i); !bytes.Equal(value, first) {
			return true
		}
	}
	return false
}

// parseExpires reads delta-seconds. RFC 3261 §10.2: more than 2^32-1 is 2^32-1, and what is malformed is
// 3600. The text says so of the parameter; the header field is read alike.
func parseExpires(v []byte) uint32 {
	seconds, ok := sip.ParseDeltaSeconds(v)
	if !ok {
		return malformedExpires
	}
	return seconds
}

// unasked is the interval where neither is given. A mailto or tel URI names what does not go stale when a
// phone is unplugged: it gets all the time there is (RFC 3665 §2.2).
func (r *Registrar) unasked(c *contact) uint32 {
	if !c.uri.IsSIP() {
		return neverSeconds
	}
	return r.defaultExpires
}

// grant chooses the interval: never more than was requested.
//
// A contact that is not SIP keeps what it asked for. The maximum and the jitter are for phones, which are
// to show at times that they are still there; and since such a contact that asks for nothing gets
// for ever, one that asks for a year must not get a day.
func (r *Registrar) grant(c *contact, requested uint32, share float64) uint32 {
	if !c.uri.IsSIP() {
		return requested
	}
	return r.shorten(min(requested, r.maxExpires), share)
}

// shorten takes the share, in 0 to 1, of the jitter off an interval, but does not go below the minimum:
// a UA that asks next time for what it got now must not get 423.
func (r *Registrar) shorten(seconds uint32, share float64) uint32 {
	if r.jitter == 0 || seconds <= r.minExpires {
		return seconds
	}
	off := uint32(float64(seconds) * r.jitter * share)
	return max(seconds-off, r.minExpires, 1)
}

// jitterShare is a number from 0 to below 1, by a hash of the AOR and the Call-ID: each UA has its own,
// and keeps it while it keeps its Call-ID, so that those which came together part at once and stay apart.
func jitterShare(req *sip.Request) float64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h := uint64(offset)
	for _, part := range [...][]byte{req.To.URI.User, req.To.URI.Host, req.CallID()} {
		for _, c := range part {
			h = (h ^ uint64(c)) * prime
		}
		h = (h ^ 0xff) * prime
	}
	// The high bits of FNV-1a depend on few of the last bytes; one more mix spreads them.
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return float64(h>>11) / (1 << 53)
}
