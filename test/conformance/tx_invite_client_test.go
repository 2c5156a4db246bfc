package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// TestInviteClient: INVITE client transactions (RFC 3261 §17.1.1, RFC 6026 §7.2).
func TestInviteClient(t *testing.T) {
	play(t, "TX-014", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		// Behind bob the INVITE was forked once more: each 2xx makes a dialog.
		for i, wait := range []time.Duration{0, 10 * time.Second, 21 * time.Second} { // Timer M is 32 s
			time.Sleep(wait)
			bob.SetTag(offer.ID(), strings.Repeat("x", i+1))
			bob.Reply(offer, 200)
			if answer := s.alice.Expect(200); answer.ToTag() != strings.Repeat("x", i+1) {
				answer.Fatalf("not the 200 of that moment")
			}
		}
		time.Sleep(1500 * time.Millisecond)
		bob.Reply(offer, 200)
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-015", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		s.alice.Expect(100)
		for _, status := range []int{180, 200, 486} {
			bob.Reply(offer, status, Rewrite("branch="+offer.Branch(), "branch=z9hG4bKnobody")) // none of the server's
			bob.Reply(offer, status, CSeqMethod("OPTIONS"))                                     // the branch of a request of another method
		}
		silent(0, s.alice)
		for _, r := range bob.Drain() {
			if !r.Is("INVITE") {
				r.Fatalf("what is not the INVITE again")
			}
		}
		refuse(offer, 486)
		invite.Ack(s.alice.Expect(486))
		silent(time.Minute, s.alice, bob)
		bob.Reply(offer, 180) // too late
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-016/TX-018", func(s *venue) {
		bob := s.phone()
		s.answers(bob)
		began := time.Now()
		invite := s.alice.Invite(bobAOR)
		s.alice.Expect(100)
		timeout := s.alice.ExpectWithin(time.Minute, 408)
		invite.Ack(timeout)
		wantTimes(t, copies(bob, "INVITE", time.Minute), timerA...)
		if took := timeout.At.Sub(began); took < 32*time.Second || took > 32*time.Second+tardy {
			t.Errorf("408 after %v", took)
		}
		silent(0, s.alice)
	})
	t.Run("TX-017", func(t *testing.T) {
		for _, transport := range []sip.Transport{tcp, tls} {
			play(t, transport.String(), func(s *venue) {
				bob := s.secure("bob", at(0))
				s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
				s.alice.Invite(bobAOR)
				s.alice.Expect(100)
				wantTimes(t, copies(bob, "INVITE", 31*time.Second), 0)
				s.alice.Expect(408) // Timer B all the same
			})
		}
	})
	play(t, "TX-019", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Expect("INVITE")
		bob.Reply(offer, 100)
		s.alice.Expect(100)
		silent(2*time.Minute, s.alice, bob)
	})
	play(t, "TX-020", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		for _, status := range []int{180, 181, 182, 183, 180, 180, 199} {
			bob.Reply(offer, status)
			s.alice.Expect(status)
		}
	})
	play(t, "TX-021/TX-022", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		refuse(offer, 486)
		invite.Ack(s.alice.Expect(486))
		for range 7 { // up to 31.5 s: Timer D is 32 s
			silent(4500*time.Millisecond, s.alice, bob)
			refuse(offer, 486)
		}
		silent(600*time.Millisecond, s.alice, bob)
		bob.Reply(offer, 486)
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-021", func(s *venue) { // over TCP Timer D is 0
		bob := s.reached(tcp)
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		refuse(offer, 486)
		invite.Ack(s.alice.Expect(486))
		bob.Reply(offer, 486)
		silent(time.Minute, s.alice, bob)
	})
	t.Run("TX-023/TX-024/TX-025", func(t *testing.T) {
		for _, transport := range []sip.Transport{udp, tcp} {
			play(t, transport.String(), func(s *venue) {
				// edge is a proxy that bob registered through, so that the INVITE has a Route.
				edge := s.agent("edge", "192.0.2.210")
				route := "<sip:192.0.2.210;transport=" + strings.ToLower(transport.String()) + ";lr>"
				phone := phoneOf(s.t, s.Bed, udp, "bob")
				phone.Register(Contact("<sip:bob@"+at(0)+">"), Line(supportsPath, "Path: "+route)).Expect(200)
				tap := s.net.Wiretap()
				invite := s.alice.Invite(bobAOR)
				offer := edge.Expect("INVITE").Want("Route", route)
				edge.Reply(offer, 180)
				s.alice.Expect(180)
				edge.Reply(offer, 486, To(offer.Header("To")+";tag=busy;x=y"))
				ack := edge.Expect("ACK").WantURI(offer.URI()).Want("Route", route).Want("From", offer.Header("From")).
					Want("Call-ID", offer.ID()).Want("CSeq", "1 ACK").Want("To", offer.Header("To")+";tag=busy;x=y").
					WantList("Via", offer.List("Via")[0]).WantBody("").Lacks("Content-Type").Lacks("Contact")
				if ack.Hop != offer.Hop {
					ack.Fatalf("the INVITE came from %v", offer.Hop)
				}
				invite.Ack(s.alice.Expect(486))
				silent(time.Minute, s.alice, edge)
				var way []*Tapped
				for _, m := range tap.Messages() {
					if m.To.Addr() == edge.Addr(transport).Addr() {
						way = append(way, m)
					}
				}
				if len(way) != 2 || way[0].From != way[1].From || way[0].To != way[1].To || way[1].Transport != transport {
					t.Errorf("heard %v", way)
				}
			})
		}
	})
	play(t, "TX-035", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		cancel := bob.Expect("CANCEL")
		if cancel.Branch() != offer.Branch() {
			cancel.Fatalf("not the branch of the INVITE")
		}
		bob.Reply(cancel, 200)
		silent(5*time.Second, s.alice, bob) // the INVITE is still pending
		bob.Reply(offer, 183)
		s.alice.Expect(183)
		refuse(offer, 487)
		invite.Ack(s.alice.Expect("487 INVITE"))
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-038", func(s *venue) {
		// Nobody listens at the first of bob's two addresses.
		s.dns.Add(s.t, `
			_sip._tcp.phone.example.com. SRV 10 1 5060 a.phone.example.com.
			_sip._tcp.phone.example.com. SRV 20 1 5060 b.phone.example.com.
			a.phone.example.com. A 192.0.2.240
			b.phone.example.com. A `+at(0))
		bob := s.agent("bob", at(0))
		s.Bind(s.t, "bob", "<sip:bob@phone.example.com;transport=tcp>")
		began := time.Now()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		if took := offer.At.Sub(began); took > time.Second {
			t.Errorf("after %v", took)
		}
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		// With no other address it is as if 503 had come, which goes on as 500.
		s.Bind(s.t, "alice", "<sip:alice@192.0.2.240;transport=tcp>")
		s.alice.Invite("sip:alice@biloxi.example.com")
		s.alice.Expect(500)
	})
}
