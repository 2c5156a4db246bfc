package client

import (
	"net/netip"
	"time"
)

// EventKind names what happened to an Agent.
type EventKind string

// The kinds of events. Those of a registration have no call.
const (
	Registered     EventKind = "registered"
	RegisterFailed EventKind = "register_failed" // Err says why; it is tried again
	Unregistered   EventKind = "unregistered"
	Invited        EventKind = "invited"      // a call comes, or goes out
	Progress       EventKind = "progress"     // a provisional response came or went: Status
	Challenged     EventKind = "challenged"   // a 401 or 407 that is answered
	Redirected     EventKind = "redirected"   // a 3xx that is followed: Detail says where to
	Answered       EventKind = "answered"     // a 200: Detail is its media
	Acknowledged   EventKind = "acknowledged" // our 200 has its ACK
	Unacknowledged EventKind = "unacknowledged"
	Refused        EventKind = "refused" // a final answer that is no 2xx: Status
	Cancelled      EventKind = "cancelled"
	Forked         EventKind = "forked"     // one more 2xx, which is hung up
	Reinvited      EventKind = "reinvited"  // the other side changes the session: Detail is its media
	HangingUp      EventKind = "hanging_up" // we send BYE
	HungUp         EventKind = "hung_up"    // the other side has sent BYE
	Ended          EventKind = "ended"      // the call is over
	Ignored        EventKind = "ignored"    // a call that is given no answer, as was asked
	Failed         EventKind = "failed"     // no answer could be had: Err
)

// Event is something that happened. Fields that do not belong to its kind are zero.
type Event struct {
	Kind     EventKind
	Time     time.Time
	CallID   string
	From, To string         // URIs
	Peer     netip.AddrPort // where it came from, or went to
	Status   int
	Reason   string
	After    time.Duration // since the INVITE
	Expires  time.Duration // of a registration
	Contact  string        // of a registration
	Detail   string
	Err      error
}
