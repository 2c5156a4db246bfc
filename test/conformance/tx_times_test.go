package conformance

import (
	cryptotls "crypto/tls"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// tardy is how much behind its time a timer may fire: the transaction layer looks at its clock every 10 ms.
const tardy = 20 * time.Millisecond

// copies lets d go by and returns when messages came to an agent, each since the first. All are what it says.
func copies(a *Agent, what string, d time.Duration) (times []time.Duration) {
	a.T.Helper()
	time.Sleep(d)
	var first time.Time
	for _, r := range a.Drain() {
		if !r.Is(what) {
			r.Fatalf("not %s", what)
		}
		if first.IsZero() {
			first = r.At
		}
		times = append(times, r.At.Sub(first))
	}
	return times
}

// wantTimes fails the test unless times are these, in milliseconds, or a little later.
func wantTimes(t *testing.T, times []time.Duration, milliseconds ...int) {
	t.Helper()
	good := len(times) == len(milliseconds)
	for i := 0; good && i < len(times); i++ {
		want := time.Duration(milliseconds[i]) * time.Millisecond
		good = times[i] >= want && times[i] < want+tardy
	}
	if !good {
		t.Fatalf("copies at %v, want them at %v ms", times, milliseconds)
	}
}

// When Timer A has an INVITE sent again, and Timers E and G another request or a refusal, with the RFC's figures.
var (
	timerA = []int{0, 500, 1500, 3500, 7500, 15500, 31500}
	timerE = []int{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}
)

// through has an agent's requests go to the server over a transport.
func (s *stage) through(transport sip.Transport) func(*AgentOptions) {
	return func(o *AgentOptions) { o.Outbound = s.Hop(transport) }
}

// reached is a phone of bob's that is bound with a contact for a transport.
func (s *stage) reached(transport sip.Transport) *Agent {
	s.t.Helper()
	bob := s.agent("bob", at(0))
	s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
	return bob
}

// copyOf fails the test unless a message came again byte by byte.
func copyOf(r *Received, first *Received) {
	r.T.Helper()
	if r.Raw != first.Raw {
		r.Fatalf("not the same as\n%s", first.Raw)
	}
}

// secure is an agent that listens to TLS too.
func (s *stage) secure(user, address string, changes ...func(*AgentOptions)) *Agent {
	s.t.Helper()
	return s.agent(user, address, append(changes, func(o *AgentOptions) {
		o.TLS = &cryptotls.Config{Certificates: []cryptotls.Certificate{s.ca.Certificate(user+".example.com", address)}}
	})...)
}
