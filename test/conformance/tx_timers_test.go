package conformance

import (
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/transaction"
)

// TestTimers: T1, T2 and T4 (RFC 3261 §17.1.1.1 and appendix A).
func TestTimers(t *testing.T) {
	for timers, want := range map[transaction.Timers]struct {
		invite, request, answer []int
		confirmed               time.Duration
	}{
		{}: {timerA, timerE, timerE, 5 * time.Second},
		{T1: 100 * time.Millisecond, T2: 400 * time.Millisecond, T4: time.Second}: {
			invite:  []int{0, 100, 300, 700, 1500, 3100, 6300},
			request: []int{0, 100, 300, 700, 1100, 1500, 1900, 2300, 2700, 3100, 3500, 3900, 4300, 4700, 5100, 5500, 5900, 6300},
			answer:  []int{0, 100, 300, 700, 1100, 1500, 1900, 2300, 2700, 3100, 3500, 3900, 4300, 4700, 5100, 5500, 5900, 6300}, confirmed: time.Second,
		},
	} {
		playTimed(t, "TX-039", timers, func(s *venue) {
			bob := s.phone()
			s.answers(bob)
			s.alice.Invite(bobAOR)
			wantTimes(t, copies(bob, "INVITE", time.Minute), want.invite...)
			s.alice.Expect(408)
			time.Sleep(time.Minute)
			s.alice.Drain()
			s.alice.Request("MESSAGE", bobAOR, Body("text/plain", "hi"))
			wantTimes(t, copies(bob, "MESSAGE", time.Minute), want.request...)
			s.alice.Drain()
			s.alice.Invite(bobAOR)
			s.alice.Expect(100)
			refuse(bob.Expect("INVITE"), 486)
			wantTimes(t, copies(s.alice, "486", time.Minute), want.answer...)
			// Timer I is T4.
			invite := s.alice.Invite(bobAOR)
			refuse(bob.Expect("INVITE"), 486)
			invite.Ack(s.alice.Expect(486))
			time.Sleep(want.confirmed - 10*time.Millisecond)
			invite.Again()
			silent(0, s.alice, bob)
			time.Sleep(10*time.Millisecond + tardy)
			invite.Again()
			bob.Expect("INVITE")
		})
	}
}
