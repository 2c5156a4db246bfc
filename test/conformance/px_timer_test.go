package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/transaction"
)

// timerC is that of a configuration that says nothing of it, and late how much later it may fire.
const timerC, late = 185 * time.Second, 2 * time.Second

// TestTimerC: RFC 3261 §16.6 step 11, §16.7 step 2, §16.8.
func TestTimerC(t *testing.T) {
	// between fails the test unless a message came within late of a time.
	between := func(r *Received, from time.Time, want time.Duration) *Received {
		if after := r.At.Sub(from); after < want || after > want+late {
			r.Fatalf("after %v, want %v", after, want)
		}
		return r
	}
	t.Run("PX-050/PX-072", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 100)
		bob.Reply(offer, 180)
		rang := time.Now()
		s.alice.Expect(180)
		silent(180*time.Second, s.alice, bob)
		cancel := between(bob.ExpectWithin(time.Minute, "CANCEL"), rang, timerC)
		silent(0, s.alice)
		bob.Reply(cancel, 200)
		refuse(offer, 487)
		invite.Ack(s.alice.Expect(408)) // alice did not cancel
		silent(time.Minute, s.alice, bob)
		// Nothing but a 100: it runs from the INVITE on.
		invite = s.alice.Invite(bobAOR)
		sent := time.Now()
		offer = bob.Expect("INVITE")
		bob.Reply(offer, 100)
		cancel = between(bob.ExpectWithin(4*time.Minute, "CANCEL"), sent, timerC)
		bob.Reply(cancel, 200)
		// Neither does it answer then.
		invite.Ack(between(s.alice.ExpectWithin(time.Minute, 408), cancel.At, 32*time.Second))
	}))
	t.Run("PX-050/configured", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		between(bob.ExpectWithin(11*time.Minute, "CANCEL"), offer.At, 10*time.Minute)
	}, func(c *config.Config) { c.Proxy.TimerC = config.Duration(10 * time.Minute) }))
	t.Run("PX-051", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		for _, status := range []int{180, 183, 181, 182, 199} {
			bob.Reply(offer, status)
			s.alice.Expect(status)
			silent(2*time.Minute, bob)
		}
		bob.Reply(offer, 200)
		s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
		bob.Expect("ACK")
		silent(4*time.Minute, bob, s.alice)
		// A 100 is not like that.
		s.alice.Invite(bobAOR)
		offer = bob.Expect("INVITE")
		bob.Reply(offer, 180)
		rang := time.Now()
		time.Sleep(2 * time.Minute)
		bob.Reply(offer, 100)
		between(bob.ExpectWithin(2*time.Minute, "CANCEL"), rang, timerC)
	}))
	// Timer B is 64*T1 and comes first, unless T1 is long.
	t.Run("PX-072", onStageTimed(transaction.Timers{T1: 4 * time.Second}, func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		sent := time.Now()
		offer := bob.Expect("INVITE")
		r := between(s.alice.ExpectWithin(5*time.Minute, 408), sent, timerC)
		invite.Ack(r)
		for _, m := range bob.Drain() {
			if !m.Is("INVITE") {
				m.Fatalf("a branch without a provisional response is not cancelled")
			}
		}
		bob.Reply(offer, 180)
		bob.Reply(offer, 486)
		silent(time.Minute, s.alice, bob) // nothing more is sent, and nothing of it goes back
	}))
	// One branch's ends, the others go on.
	t.Run("PX-072/fork", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		invite := s.alice.Invite(bobAOR)
		first, second := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[0].Reply(first, 180)
		bobs[1].Reply(second, 180)
		s.alice.Drain()
		time.Sleep(2 * time.Minute)
		bobs[1].Reply(second, 180)
		s.alice.Expect(180)
		between(bobs[0].ExpectWithin(2*time.Minute, "CANCEL"), first.At, timerC)
		bobs[0].Reply(first, 487)
		silent(time.Second, s.alice, bobs[1])
		bobs[1].Reply(second, 200)
		s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
		bobs[1].Expect("ACK")
	}))
}
