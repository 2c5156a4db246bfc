package registrar

import (
	"bytes"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// A phone that comes back with another address leaves its old binding behind, and tells nobody. What is known to
// be such a one goes when the phone comes back; what may be one goes when the AOR has no room.

// supersede notes the bindings that the request takes the place of without naming them.
func (reg *Registration) supersede(rec *location.Record) {
	reg.displaced = reg.displaced[:0]
	for i := range rec.Bindings {
		b := &rec.Bindings[i]
		if b.Removed || b.RegID != 0 || b.Path != nil || reg.names(i) {
			continue
		}
		for j := range reg.contacts {
			if c := &reg.contacts[j]; c.granted > 0 && reg.supersedes(c, b) {
				reg.displaced = append(reg.displaced, i)
				break
			}
		}
	}
}

// supersedes reports whether a contact is what has become of a binding without an outbound flow.
//
// RFC 5626 §4.1: no two devices have one instance. A device that comes over another connection, or from another
// address, has left the one before, whether its end has been seen or not; over another transport or address family
// it may have both. Over the same it may have several contacts, but not one on two ports. One with outbound keeps what
// it has without, unless that has gone.
//
// RFC 3261 §10.2: a client registers with one Call-ID. A contact of the same Call-ID that could be reached by its
// connection alone, which has closed, leads nowhere any more.
func (reg *Registration) supersedes(c *contact, b *location.Binding) bool {
	if given := givenRegID(b); c.instance != nil && sameInstance(c.instance, b.Instance) &&
		(given == c.givenRegID || given == 0 && c.regID != 0) {
		switch {
		case reg.gone(b):
			return true
		case c.regID != 0:
			return false
		case sameWay(b.Flow, reg.flow):
			return c.givenRegID == 0 && c.isPortApart(b)
		}
		return likeWay(b.Flow, reg.flow)
	}
	return bytes.Equal(b.Writer.CallID, reg.writer.CallID) && reg.gone(b) && needsConnection(b)
}

// givenRegID is the reg-id that the parameters of a binding have, whether it counted or not; 0 if there is none.
func givenRegID(b *location.Binding) uint32 {
	v, _ := sip.Params(b.Params).Value("reg-id")
	id, _ := sip.ParseDeltaSeconds(v)
	return id
}

// sameWay reports whether two flows are one, whichever address of ours they lead to.
func sameWay(a, b sip.Flow) bool {
	return a.Transport == b.Transport && a.Remote == b.Remote && a.Serial == b.Serial
}

// likeWay reports whether two flows are of one transport and address family.
func likeWay(a, b sip.Flow) bool {
	return a.Transport == b.Transport && a.Remote.Addr().Unmap().Is4() == b.Remote.Addr().Unmap().Is4()
}

// needsConnection reports whether a contact leads nowhere but by the connection that it came over: its URI is that one's
// other end, an address that only a network behind a NAT knows, or a name that there cannot be.
func needsConnection(b *location.Binding) bool {
	u, err := sip.ParseURI(b.Contact)
	return err == nil && b.Reach(&u) == location.ByFlow
}

// gone reports whether a binding's connection has closed.
func (reg *Registration) gone(b *location.Binding) bool {
	return reg.registrar.flows != nil && b.Gone(reg.registrar.flows)
}

// names reports whether a contact of the request is binding i.
func (reg *Registration) names(i int) bool {
	return reg.taken(len(reg.contacts), i)
}

// makeRoom notes bindings that are to go, so many, and reports whether there are enough.
func (reg *Registration) makeRoom(rec *location.Record, n int) bool {
	for ; n > 0; n-- {
		i := reg.mostDispensable(rec, some)
		if i < 0 {
			return false
		}
		reg.displaced = append(reg.displaced, i)
	}
	return true
}

// mostDispensable is the binding that goes next where there is no room, of that use at most; -1 if there is none.
func (reg *Registration) mostDispensable(rec *location.Record, most use) int {
	found, best := -1, most+1
	for i := range rec.Bindings {
		b := &rec.Bindings[i]
		if b.Removed || reg.names(i) || reg.isDisplaced(i) {
			continue
		}
		use := reg.use(b)
		if use < best || use == best && found >= 0 && b.Updated < rec.Bindings[found].Updated {
			found, best = i, use
		}
	}
	return found
}

func (reg *Registration) isDisplaced(i int) bool {
	for _, d := range reg.displaced {
		if d == i {
			return true
		}
	}
	return false
}

// use says how much somebody may still want a binding; of one use, what was refreshed longest ago goes first.
type use uint8

const (
	noUse         use = iota // its connection has gone
	doubtful                 // it looks like an earlier address of the phone that registers
	some                     // any other, where the oldest goes
	indispensable            // it never expires, or the policy lets none go
)

func (reg *Registration) use(b *location.Binding) use {
	switch {
	case reg.gone(b):
		return noUse
	case b.Expires == location.Never:
		return indispensable
	case reg.resembles(b):
		return doubtful
	case reg.registrar.dropOldest:
		return some
	}
	return indispensable
}

// resembles reports whether a binding looks like an earlier address of the phone that registers: it is of the same
// instance; or it came another way, and is of the same Call-ID, which RFC 3261 §10.2 has a client keep until it starts
// anew, or of the same URI but for the port, from the same address over the same transport.
func (reg *Registration) resembles(b *location.Binding) bool {
	moved := !sameWay(b.Flow, reg.flow)
	if moved && bytes.Equal(b.Writer.CallID, reg.writer.CallID) {
		return true
	}
	near := moved && b.Flow.Transport == reg.flow.Transport && b.Flow.Remote.Addr() == reg.flow.Remote.Addr()
	for i := range reg.contacts {
		c := &reg.contacts[i]
		if c.granted == 0 {
			continue
		}
		if b.RegID == 0 && c.instance != nil && sameInstance(c.instance, b.Instance) || near && c.isPortApart(b) {
			return true
		}
	}
	return false
}

// isPortApart reports whether a binding has the contact's URI but for the port.
func (c *contact) isPortApart(b *location.Binding) bool {
	u, err := sip.ParseURI(b.Contact)
	u.Port = c.uri.Port
	return err == nil && c.uri.Equal(u)
}

// displace buries what was noted.
func (reg *Registration) displace(rec *location.Record) {
	for _, i := range reg.displaced {
		reg.bury(&rec.Bindings[i])
	}
}

// refuseFull makes the response 500, with the time until the first binding ends in Retry-After.
//
// RFC 3261 §10.3 step 7: where an update fails, the response is 500; §21.5.1: it may say when to try again. A 403
// a phone takes for a wrong password, and stops. A 503 is about the server, which an edge in front of it, or a UA
// with another server, would pass over for everybody (§21.5.4, RFC 3263 §4.3).
func (reg *Registration) refuseFull(rec *location.Record) {
	wait := maxRetryAfter
	for i := range rec.Bindings {
		if b := &rec.Bindings[i]; !b.Removed && b.Expires != location.Never {
			wait = min(wait, time.Duration(b.Expires-reg.now)*time.Millisecond)
		}
	}
	reg.beginFailure(tooManyContacts)
	reg.failed = sip.AppendRetryAfter(reg.failed, wait)
	reg.endFailure(tooManyContacts)
}
