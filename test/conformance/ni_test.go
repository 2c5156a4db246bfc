package conformance

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// untilT2 is when Timer E of a client reaches T2: 0.5 s, 1 s and 2 s (RFC 4320 §4.1).
const untilT2 = 3500 * time.Millisecond

// TestNonInvite: requests other than INVITE that are forwarded (RFC 4320).
func TestNonInvite(t *testing.T) {
	t.Run("NI-001", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Request("OPTIONS", bobAOR)
		asked := bob.Expect("OPTIONS")
		for _, status := range []int{180, 183, 199, 100} {
			bob.Reply(asked, status)
		}
		silent(untilT2-100*time.Millisecond, s.alice)
		r := s.alice.Next(time.Second)
		if r == nil || r.Status() != 100 {
			s.t.Fatalf("got %v, want 100", r)
		}
		bob.Reply(asked, 183)
		silent(time.Second, s.alice)
		bob.Reply(asked, 200)
		s.alice.Expect(200)
	}))
	t.Run("NI-002/NI-003", onStage(func(s *stage) {
		bob := s.phone()
		for _, transport := range []sip.Transport{udp, tcp} {
			alice := s.alice
			if transport == tcp {
				alice = s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Outbound = s.Hop(tcp) })
			}
			for _, method := range []string{"OPTIONS", "MESSAGE", "BYE", "X-NEW"} {
				request := alice.Request(method, bobAOR)
				sent := time.Now()
				asked := bob.Expect(method)
				time.Sleep(time.Second)
				request.Again() // is not answered either
				silent(untilT2-time.Second-50*time.Millisecond, alice)
				r := alice.ExpectWithin(time.Second, "100 "+method)
				if after := r.At.Sub(sent); after < untilT2 || after > untilT2+100*time.Millisecond || r.ToTag() != "" {
					r.Fatalf("after %v, want %v", after, untilT2)
				}
				request.Again() // is answered now
				alice.Expect("100 " + method)
				bob.Reply(asked, 200)
				alice.Expect("200 " + method)
				bob.Drain()
				// An answer in time leaves no room for a 100.
				alice.Request(method, bobAOR)
				asked = bob.Expect(method)
				time.Sleep(untilT2 - 100*time.Millisecond)
				bob.Reply(asked, 200)
				if r := alice.Next(time.Millisecond); r == nil || r.Status() != 200 {
					s.t.Fatalf("got %v, want 200", r)
				}
				silent(10*time.Second, alice)
				bob.Drain()
			}
		}
	}))
	t.Run("NI-004", onStage(func(s *stage) {
		bob := s.phone()
		for _, method := range []string{"MESSAGE", "BYE", "OPTIONS", "SUBSCRIBE"} {
			s.alice.Request(method, bobAOR)
			s.alice.Expect("100 " + method)
			silent(3*time.Minute, s.alice)
			for _, again := range bob.Drain() {
				if !again.Is(method) {
					again.Fatalf("nothing but %s is expected", method)
				}
			}
			// A 408 of somebody's who knows no better goes no further.
			s.alice.Request(method, bobAOR)
			bob.Reply(bob.Expect(method), 408)
			silent(3*time.Minute, s.alice)
		}
		// No address, no connection: nobody waits for those.
		s.alice.Request("MESSAGE", "sip:u0@"+bed.Domain)
		s.alice.Expect(480)
	}))
	t.Run("NI-005", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Request("MESSAGE", bobAOR)
		asked := bob.Expect("MESSAGE")
		s.alice.Expect("100 MESSAGE")
		time.Sleep(32 * time.Second)
		bob.Reply(asked, 200)
		bob.Reply(asked, 500)
		silent(time.Minute, s.alice)
	}))
	t.Run("NI-006", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Request("MESSAGE", bobAOR)
		bobs[0].Reply(bobs[0].Expect("MESSAGE"), 404)
		bobs[1].Reply(bobs[1].Expect("MESSAGE"), 408)
		s.alice.Expect(404)
		bobs[0].Drain()
		bobs[1].Drain()
		// The 404 is there before alice gives up, although one says nothing.
		s.alice.Request("MESSAGE", bobAOR)
		sent := time.Now()
		bobs[0].Reply(bobs[0].Expect("MESSAGE"), 404)
		s.alice.Expect("100 MESSAGE")
		if r := s.alice.ExpectWithin(time.Minute, 404); r.At.Sub(sent) >= 32*time.Second {
			r.Fatalf("after %v", r.At.Sub(sent))
		}
		silent(time.Minute, s.alice)
	}))
}
