package client

import (
	"errors"
	"net/netip"
	"time"

	"biloxi/sip"
)

// Invitation is a call to make.
type Invitation struct {
	Target      string        // a SIP URI
	Duration    time.Duration // until we hang up; 0: when the other side does, or the context ends
	CancelAfter time.Duration // until the call is cancelled if it has no final answer; 0: never
	Ringing     time.Duration // the same as a limit: what is given up then is no answer; 0: DefaultRinging
	Follow      bool          // a 3xx is followed to its contacts (RFC 3261 §8.1.3.4), else reported
}

// Who ended a call.
const (
	EndedByUs   = "us"
	EndedByThem = "them"
)

// ErrNoAnswer is a call that rang for as long as it may.
var ErrNoAnswer = errors.New("nobody answered in time: the call was cancelled")

// Reply is one response to our INVITE.
type Reply struct {
	Status int
	Reason string
	After  time.Duration // since the first INVITE went out
	From   netip.AddrPort
	Tag    string // of its To
	Media  string // its session description in one line; empty if it has none
}

// Story is what became of a call.
type Story struct {
	Target    string
	CallID    string
	Replies   []Reply
	Status    int // of the final response; 0 if there was none
	Reason    string
	Answered  bool
	Setup     time.Duration // from the INVITE to the final response
	Talked    time.Duration // from the 200 to its end
	EndedBy   string        // EndedByUs, EndedByThem; empty if the call was not answered
	Cancelled bool          // by us
	Targets   []string      // Request-URIs, as one 3xx after the other gave them; the first is Target
	Contacts  []Contact     // of a 3xx that was not followed
	Routes    []string      // the route set of the call
	Remote    string        // their Contact
	Media     string        // their session description in one line
	Forked    int           // further 2xx, which were hung up
	Transport sip.Transport // of the hop that answered
	Local, To netip.AddrPort
	Requests  int   // INVITEs
	Cause     error // why a challenge was not answered
}

// Err is nil for a call that was answered, else what came instead: a *RefusedError.
func (s *Story) Err() error {
	if s.Answered || s.Status == 0 {
		return nil
	}
	return &RefusedError{Status: s.Status, Reason: s.Reason, Cause: s.Cause}
}
