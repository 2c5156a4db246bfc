package transaction

import (
	"math"
	"time"
)

// kind is which of the four machines a transaction is.
type kind uint8

const (
	inviteClient kind = 1 + iota
	nonInviteClient
	inviteServer
	nonInviteServer
)

// moment is a point in time, counted from when the layer was made.
type moment = time.Duration

// never is when a timer that is not set fires.
const never moment = math.MaxInt64

// event is what happens to a transaction.
type event uint8

const (
	provisional    event = 1 + iota // a 1xx: received by a client, given by the user to a server
	success                         // a 2xx
	failure                         // a 300-699
	retransmission                  // of the request, received by a server
	ack                             // received by an INVITE server
	againFires                      // the timer that sends again: A, E or G, or the one before a 100
	endFires                        // the timer that ends a state: B, D, F, H, I, J, K, L or M
	transportError                  // what was sent could not be delivered
	userTrying                      // the user of an INVITE server wants the 100 now
	userCancel                      // the user of an INVITE client wants it cancelled
)

// do is what a step asks to be done, in this order. To send comes first, so that what the user does about it goes out
// later.
type do uint16

const (
	sendRequest  do = 1 << iota // the request, for the first time or again
	sendAck                     // an ACK for the response that came
	sendCancel                  // a CANCEL, in a transaction of its own
	sendResponse                // the response that the user gave, or else the last one
	tellResponse                // the user: the response that came
	tellAck                     // the user: the ACK that came
	tellTimeout                 // the user: nobody answered
	tellError                   // the user: the transport failed
)

// tells are the ones for the user.
const tells = tellResponse | tellAck | tellTimeout | tellError

// machine is one transaction as the RFC draws it: its state and its timers, of which no state has more than
// two. It is a value: a step returns the machine that comes next.
type machine struct {
	kind      kind
	state     State
	reliable  bool          // the transport is
	cancelled bool          // INVITE client: the user wants it cancelled
	once      bool          // INVITE server: a refusal is sent again once at the most, but for an INVITE that comes again
	most      uint8         // client: how often its request may be sent, with the last time, while nothing comes; 0: no bound
	interval  time.Duration // what Timer A, E or G was last set to
	again     moment        // when Timer A, E or G fires, or the one before a 100
	end       moment        // when Timer B, D, F, H, I, J, K, L or M fires
}

// start is a machine in its first state. A client's request is to be sent now.
func start(k kind, reliable bool, t Timers, now moment) machine {
	m := machine{kind: k, reliable: reliable, again: never, end: never}
	switch k {
	case inviteClient:
		return m.startInviteClient(t, now)
	case nonInviteClient:
		return m.startNonInviteClient(t, now)
	case inviteServer:
		return m.startInviteServer(now)
	default:
		return m.startNonInviteServer(t, now)
	}
}

// step is the machine after an event, and what is to be done. An event that the figure has no arc for changes
// nothing.
func (m machine) step(t Timers, now moment, e event) (machine, do) {
	switch m.kind {
	case inviteClient:
		return m.inviteClient(t, now, e)
	case nonInviteClient:
		return m.nonInviteClient(t, now, e)
	case inviteServer:
		return m.inviteServer(t, now, e)
	default:
		return m.nonInviteServer(t, now, e)
	}
}

// due is when the first of the machine's timers fires.
func (m machine) due() moment { return min(m.again, m.end) }

// fired is the event of a timer that is due at now, false if none is. The one that ends a state comes first, so
// that nothing is sent just before.
func (m machine) fired(now moment) (event, bool) {
	switch {
	case m.end <= now:
		return endFires, true
	case m.again <= now:
		return againFires, true
	}
	return 0, false
}

// atMost is the machine of a client whose request is sent so often, with the first time; 0: without a bound. Timers B and
// F stay as they are: what comes late is taken.
func (m machine) atMost(n uint8) machine {
	if m.most = n; n == 1 {
		m.again = never
	}
	return m
}

// spend counts one more time that a client's request is sent. After the last Timer A or E is not set.
func (m *machine) spend() {
	if m.most == 0 {
		return
	}
	if m.most--; m.most == 1 {
		m.again = never
	}
}

// setAgain sets Timer A, E or G to d.
func (m *machine) setAgain(now moment, d time.Duration) {
	m.interval = d
	m.again = now + d
}

// enter goes to a state with no timer that sends again, which lasts for d.
func (m *machine) enter(s State, now moment, d time.Duration) {
	m.state, m.again, m.end = s, never, never
	if d != never {
		m.end = now + d
	}
}

// unlessReliable is d, or zero over a reliable transport: Timers D, I, J and K.
func (m machine) unlessReliable(d time.Duration) time.Duration {
	if m.reliable {
		return 0
	}
	return d
}

// terminate is the end.
func (m *machine) terminate() { m.enter(Terminated, 0, never) }
