package conformance

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/test/bed"
)

// latency is one way between any two in the scenes where messages cross.
const latency = 20 * time.Millisecond

// TestRaces: what crosses on the way, comes too late or too early, or is cut off. Nothing is to be lost by that, and
// nobody to be left ringing.
func TestRaces(t *testing.T) {
	t.Run("CANCEL crosses a 200", onStage(func(s *stage) {
		bob := s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		// Where they meet: between alice and the server, at the server, and between it and bob.
		for lead := -3 * latency; lead <= 3*latency; lead += latency / 2 {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			both := sync.WaitGroup{}
			both.Go(func() { time.Sleep(3*latency + lead); bob.Reply(offer, 200) })
			both.Go(func() { time.Sleep(3 * latency); invite.Cancel() })
			both.Wait()
			time.Sleep(10 * latency)
			// bob has answered: a CANCEL that he gets means nothing to him any more (§9.2).
			for _, m := range bob.Drain() {
				if !m.Is("CANCEL") || m.Branch() != offer.Branch() {
					m.Fatalf("lead %v: not a CANCEL of the INVITE", lead)
				}
				bob.Reply(m, 200)
			}
			confirmed, answered := (*siptest.Received)(nil), (*siptest.Received)(nil)
			for _, m := range s.alice.Drain() {
				switch {
				case m.Is("200 CANCEL"):
					confirmed = m
				case m.Is("200 INVITE"):
					answered = m
				default:
					m.Fatalf("lead %v: neither 200", lead)
				}
			}
			if confirmed == nil || answered == nil {
				s.t.Fatalf("lead %v: 200 (CANCEL) %v, 200 (INVITE) %v", lead, confirmed != nil, answered != nil)
			}
			call := s.alice.Dialog(invite, answered)
			call.Ack()
			bob.Expect("ACK")
			call.Bye()
			bob.Reply(bob.Expect("BYE"), 200)
			s.alice.Expect("200 BYE")
			silent(3*time.Second, s.alice, bob)
		}
	}))
	t.Run("CANCEL crosses a refusal", onStage(func(s *stage) {
		bob := s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		for lead := -3 * latency; lead <= 3*latency; lead += latency / 2 {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			both := sync.WaitGroup{}
			both.Go(func() { time.Sleep(3*latency + lead); bob.Reply(offer, 486) })
			both.Go(func() { time.Sleep(3 * latency); invite.Cancel() })
			both.Wait()
			time.Sleep(8 * latency)
			finals := map[string]*siptest.Received{}
			for _, m := range s.alice.Drain() {
				finals[m.CSeqMethod()] = m
			}
			if !finals["CANCEL"].Is("200 CANCEL") || !finals["INVITE"].Is("486") {
				s.t.Fatalf("lead %v: %v", lead, finals)
			}
			invite.Ack(finals["INVITE"])
			ack := false
			for _, m := range bob.Drain() {
				if m.Is("CANCEL") {
					bob.Reply(m, 481)
				}
				ack = ack || m.Is("ACK")
			}
			if !ack {
				s.t.Fatalf("lead %v: the 486 is not acknowledged", lead)
			}
			time.Sleep(3 * time.Second)
			s.alice.Drain()
			bob.Drain()
		}
	}))
	t.Run("two 200s of a fork", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.net.SetLink(siptest.Link{Latency: latency})
		for lead := time.Duration(0); lead <= 3*latency; lead += latency / 2 {
			invite := s.alice.Invite(bobAOR)
			first, second := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
			both := sync.WaitGroup{}
			both.Go(func() { bobs[0].Reply(first, 200) })
			both.Go(func() { bobs[1].Reply(second, 180); time.Sleep(lead); bobs[1].Reply(second, 200) })
			both.Wait()
			calls := map[string]*siptest.Dialog{}
			for range 2 {
				r := s.alice.Next(time.Second)
				for r != nil && r.Status() < 200 {
					r = s.alice.Next(time.Second)
				}
				if r == nil {
					s.t.Fatalf("lead %v: a 200 is missing", lead)
				}
				calls[r.ToTag()] = s.alice.Dialog(invite, r)
			}
			// alice takes the first and hangs up on the second.
			for i, offer := range []*siptest.Received{first, second} {
				call := calls[bobs[i].Tag(offer.ID())]
				if call == nil {
					s.t.Fatalf("lead %v: no dialog with %s", lead, bobs[i].Address)
				}
				call.Ack()
				got := bobs[i].Next(time.Second)
				for got != nil && got.Is("CANCEL") { // the second may have had one in the meantime
					bobs[i].Reply(got, 200)
					got = bobs[i].Next(time.Second)
				}
				if got == nil || !got.Is("ACK") {
					s.t.Fatalf("lead %v: %s has no ACK", lead, bobs[i].Address)
				}
				call.Bye()
				bobs[i].Reply(bobs[i].Expect("BYE"), 200)
				s.alice.Expect("200 BYE")
			}
			silent(3*time.Second, s.alice, bobs[0], bobs[1])
		}
	}))
	t.Run("BYE before ACK", onStage(func(s *stage) {
		bob := s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		// alice hangs up first, and her ACK is late; then bob does, before he has it.
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Bye()
		time.Sleep(time.Millisecond)
		call.Ack()
		bob.Reply(bob.Expect("BYE").Lacks("Route"), 200)
		bob.Expect("ACK").Lacks("Route")
		s.alice.Expect("200 BYE")
		bob.Reply(offer, 200) // he had not seen it yet
		s.alice.Expect("200 INVITE")
		call.Ack()
		bob.Expect("ACK")
		invite = s.alice.Invite(bobAOR)
		offer = bob.Expect("INVITE")
		bob.Reply(offer, 200)
		time.Sleep(time.Millisecond)
		bob.Answered(offer).Bye()
		call = s.alice.Dialog(invite, s.alice.Expect("200 INVITE"))
		bye := s.alice.Expect("BYE")
		call.Ack()
		time.Sleep(time.Millisecond)
		s.alice.Reply(bye, 200)
		bob.Expect("ACK")
		bob.Expect("200 BYE")
		silent(time.Minute, s.alice, bob)
	}))
	t.Run("BYE of an early dialog", onStage(func(s *stage) {
		bob := s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		early := s.alice.Dialog(invite, s.alice.Expect(180))
		early.Bye()
		bob.Reply(bob.Expect("BYE"), 200)
		time.Sleep(time.Millisecond)
		bob.Reply(offer, 487)
		s.alice.Expect("200 BYE")
		invite.Ack(s.alice.Expect("487 INVITE"))
		bob.Expect("ACK")
		silent(time.Minute, s.alice, bob)
	}))
	t.Run("an answer behind Timer C", onStage(func(s *stage) {
		bob := s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		// He answers when he has been cancelled: the call is good, whoever comes first.
		for _, late := range []time.Duration{0, latency, 31 * time.Second} {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			cancel := bob.ExpectWithin(timerC+5*time.Second, "CANCEL")
			bob.Reply(cancel, 200)
			time.Sleep(late)
			bob.Reply(offer, 200)
			call := s.alice.Dialog(invite, s.alice.Expect("200 INVITE"))
			call.Ack()
			bob.Expect("ACK")
			bob.Reply(bye(call, bob), 200)
			s.alice.Expect("200 BYE")
			silent(time.Minute, s.alice)
			bob.Drain()
		}
		// And when alice has been told that nobody did: it goes nowhere (RFC 6026 §8.9), she is not to be called by a
		// call that she has given up.
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Ack(s.alice.ExpectWithin(timerC+time.Minute, 408))
		bob.Reply(offer, 200)
		silent(time.Minute, s.alice)
	}))
	t.Run("the caller's connection closes", onStage(func(s *stage) {
		over := func(o *siptest.AgentOptions) { o.Outbound = s.Hop(tcp) }
		alice, bob := s.agent("alice", "192.0.2.102", over), s.phone()
		s.net.SetLink(siptest.Link{Latency: latency})
		invite := alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := alice.Dialog(invite, alice.Expect(200))
		alice.Hang() // her ACK comes over another connection
		synctest.Wait()
		call.Ack()
		bob.Expect("ACK")
		call.Bye()
		bob.Reply(bob.Expect("BYE"), 200)
		alice.Expect("200 BYE")
		// bob cannot reach her over what has gone, and is told so.
		invite = alice.Invite(bobAOR)
		offer = bob.Expect("INVITE")
		bob.Reply(offer, 200)
		alice.Dialog(invite, alice.Expect(200)).Ack()
		bob.Expect("ACK")
		alice.Hang()
		time.Sleep(time.Second)
		bob.Answered(offer).Bye()
		if r := bob.Next(time.Minute); r == nil || r.IsRequest() || r.Status() < 400 {
			s.t.Fatalf("the BYE down a flow that has gone: %v", r)
		}
	}))
	t.Run("the callee's connection closes", onStage(func(s *stage) {
		// Nobody can connect to him: his connection is the only way.
		bob := s.agent("bob", "192.0.2.201", func(o *siptest.AgentOptions) {
			o.Outbound, o.Domain, o.Without = s.Hop(tcp), bed.Domain, []sip.Transport{tcp}
		})
		bob.Register()
		other := s.agent("bob", "192.0.2.202")
		s.Bind(s.t, "bob", "<"+other.ContactURI(udp)+">;q=0.5")
		s.net.SetLink(siptest.Link{Latency: latency})
		// While he rings: the call goes on until he answers over another, or nobody has until Timer C.
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		bob.Hang()
		time.Sleep(time.Second)
		silent(0, s.alice, other)
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		// It goes down the flow of his registration, which is no more: nobody has it, nobody is harmed.
		silent(time.Minute, s.alice, other)
		// The next call goes to who is there.
		s.alice.Invite(bobAOR)
		refuse(other.Expect("INVITE"), 486)
		s.alice.Expect(486)
		// He comes back, and loses it with the INVITE on its way.
		bob.Drain()
		bob.Register()
		s.alice.Invite(bobAOR)
		bob.Hang()
		if m := other.Next(time.Minute); m == nil {
			s.alice.ExpectWithin(3*time.Minute, 408)
		} else {
			refuse(m, 486)
			s.alice.ExpectWithin(time.Minute, 486)
		}
	}))
}

// TestGoroutines: a finished call leaves none.
func TestGoroutines(t *testing.T) {
	t.Run("T15", onStage(func(s *stage) {
		bob := s.phone()
		call := func() {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			bob.Reply(offer, 200)
			s.alice.Expect(180)
			call := s.alice.Dialog(invite, s.alice.Expect(200))
			call.Ack()
			bob.Expect("ACK")
			call.Bye()
			bob.Reply(bob.Expect("BYE"), 200)
			s.alice.Expect("200 BYE")
		}
		call()
		synctest.Wait()
		before := runtime.NumGoroutine()
		for range 200 {
			call()
		}
		synctest.Wait()
		if now := runtime.NumGoroutine(); now > before {
			s.t.Errorf("%d goroutines, %d before 200 calls whose transactions are still held", now, before)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if now := runtime.NumGoroutine(); now > before {
			s.t.Errorf("%d goroutines, %d before 200 calls", now, before)
		}
		if held := s.Server.Status().Transactions; held.Servers+held.Clients != 0 {
			s.t.Errorf("%d server and %d client transactions are held", held.Servers, held.Clients)
		}
	}))
}
