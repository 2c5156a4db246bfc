package conformance

import (
	"strings"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestCancel: CANCEL (RFC 3261 §9, §16.10), and the ACK of a 2xx.
func TestCancel(t *testing.T) {
	t.Run("PX-075", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		sent := time.Now()
		cancel := invite.Cancel()
		ok := s.alice.Expect("200 CANCEL") // before bob has said anything
		if ok.Branch() != cancel.Branch() || ok.At.Sub(sent) > 50*time.Millisecond || ok.ToTag() == "" {
			ok.Fatalf("not an answer at once to the CANCEL")
		}
		cancel.Again()
		if again := s.alice.Expect("200 CANCEL"); again.Raw != ok.Raw {
			again.Fatalf("a retransmission is answered differently")
		}
		bob.Reply(bob.Expect("CANCEL"), 200)
		refuse(offer, 487)
		invite.Ack(s.alice.Expect("487 INVITE"))
		silent(time.Minute, s.alice, bob)
	}))
	t.Run("PX-076", onStage(func(s *stage) {
		bobs := s.phones("1", "1", "1", "0.1")
		invite := s.alice.Invite(bobAOR)
		var offers []*Received
		for _, bob := range bobs[:3] {
			offers = append(offers, bob.Expect("INVITE"))
		}
		bobs[0].Reply(offers[0], 180)
		bobs[1].Reply(offers[1], 183)
		refuse(offers[2], 486)
		s.alice.Expect(180)
		s.alice.Expect(183)
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		give(offers[0])
		silent(0, s.alice)
		give(offers[1])
		invite.Ack(s.alice.Expect(486)) // the best of 486, 487, 487
		silent(time.Minute, append(bobs, s.alice)...)
	}))
	t.Run("PX-071/CANCEL", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		bob.Expect("INVITE") // again, and no CANCEL
		silent(0, bob)
		bob.Reply(offer, 100)
		give(offer)
		invite.Ack(s.alice.Expect(487))
	}))
	t.Run("PX-077", onStage(func(s *stage) {
		// From a peer that is trusted, to somebody else's user.
		carol := s.agent("carol", "192.0.2.210")
		stray := s.alice.Request("CANCEL", carol.ContactURI(udp), Line("X-Odd: 1"))
		cancel := carol.Expect("CANCEL").Want("X-Odd", "1").Want("Max-Forwards", "69").Want("CSeq", "1 CANCEL").WantURI(carol.ContactURI(udp))
		if vias := cancel.List("Via"); len(vias) != 2 || !strings.Contains(vias[1], stray.Branch()) {
			cancel.Fatalf("Via is %q", vias)
		}
		carol.Reply(cancel, 481)
		if r := s.alice.Expect("481 CANCEL"); r.ToTag() != carol.Tag(cancel.ID()) {
			r.Fatalf("not carol's answer")
		}
		silent(time.Minute, carol, s.alice)
		// To a user of ours: whatever came for him was here.
		bob := s.phone()
		s.alice.Request("CANCEL", bobAOR)
		s.alice.Expect("481 CANCEL")
		silent(time.Minute, bob, s.alice)
	}, trustAll))
	t.Run("PX-077/stranger", onStage(func(s *stage) {
		carol, bob := s.agent("carol", "192.0.2.210"), s.phone()
		s.alice.Request("CANCEL", carol.ContactURI(udp))
		s.alice.Expect("481 CANCEL") // he has no credentials to show (§22.1)
		silent(time.Minute, carol, s.alice)
		// Within a dialog that was made through the server it goes on.
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK")
		call.Request("CANCEL")
		bob.Reply(bob.Expect("CANCEL").WantURI(bob.ContactURI(udp)).Lacks("Route"), 481)
		s.alice.Expect("481 CANCEL")
	}))
	t.Run("PX-078/PX-079", onStage(func(s *stage) {
		bob := s.agent("bob", "192.0.2.201")
		p := NewPhone(s.t, conn(s.t, s.Bed, udp), "bob", bed.Domain, bed.Password("bob"))
		p.Register(Contact("<sip:bob@198.51.100.1;x=y>"), Line("Supported: path", "Path: <sip:192.0.2.201;lr>, <sip:second.example.net;lr;k=v>")).Expect(200)
		invite := s.alice.Invite(bobAOR, Line("Require: 100rel", "Supported: timer", "Subject: odd"))
		offer := bob.Expect("INVITE").Want("Require", "100rel")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel()
		cancel := bob.Expect("CANCEL").WantURI(offer.URI()).WantList("Route", offer.List("Route")...).Want("Via", offer.List("Via")[0]).
			Want("From", offer.Header("From")).Want("To", offer.Header("To")).Want("Call-ID", offer.ID()).Want("CSeq", "1 CANCEL").
			Lacks("Require", "Proxy-Require", "Supported", "Content-Type", "Record-Route").WantBody("")
		s.alice.Expect("200 CANCEL")
		bob.Reply(cancel, 200)
		refuse(offer, 487)
		invite.Ack(s.alice.Expect(487))
	}))
	t.Run("PX-080", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel()
		sent := time.Now()
		s.alice.Expect("200 CANCEL")
		r := s.alice.ExpectWithin(time.Minute, "487 INVITE")
		if after := r.At.Sub(sent); after < 32*time.Second || after > 33*time.Second {
			r.Fatalf("after %v", after)
		}
		invite.Ack(r)
		silent(time.Minute, s.alice)
		bob.Drain()
		// The transaction has gone: what comes of it now goes nowhere, and is not acknowledged.
		bob.Reply(offer, 486)
		silent(time.Minute, s.alice, bob)
	}))
	t.Run("PX-081", onStage(func(s *stage) {
		bob := s.phone()
		for _, status := range []int{486, 200} {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			if status == 200 {
				bob.Reply(offer, 200)
				s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
				bob.Expect("ACK")
			} else {
				refuse(offer, status)
				s.alice.Expect(status)
			}
			invite.Cancel()
			s.alice.Expect("200 CANCEL")
			silent(time.Millisecond, s.alice, bob)
			if status != 200 {
				s.alice.Expect(status) // goes on until it is acknowledged, as if nothing had been
				invite.Ack(s.alice.Expect(status))
			}
			silent(time.Minute, s.alice, bob)
		}
	}))
	t.Run("PX-082", onStage(func(s *stage) {
		// alice is a user of the server's now, and is challenged.
		alice, bob := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain }), s.phone()
		invite := alice.Invite(bobAOR)
		challenge := alice.Expect(407)
		invite.Ack(challenge)
		silent(time.Second, alice)
		invite = invite.Retry(alice.Credentials(challenge))
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		alice.Expect(180)
		cancel := invite.Cancel(Without("Proxy-Authorization"))
		if strings.Contains(cancel.Raw, "Authorization") {
			s.t.Fatal("the CANCEL has credentials")
		}
		alice.Expect("200 CANCEL")
		give(offer)
		invite.Ack(alice.Expect(487))
		invite = alice.Invite(bobAOR, alice.Known(bed.Realm))
		bob.Reply(bob.Expect("INVITE"), 200)
		alice.Dialog(invite, alice.Expect(200)).Ack()
		bob.Expect("ACK").Lacks("Proxy-Authorization")
		// Of nothing: neither is challenged.
		stray := alice.Request("CANCEL", "sip:bob@192.0.2.99")
		if r := alice.Next(time.Second); r != nil && (r.Status() == 401 || r.Status() == 407) {
			r.Fatalf("challenged:\n%s", stray.Raw)
		}
		alice.Request("ACK", bobAOR)
		alice.Request("ACK", "sip:carol@chicago.example.com")
		silent(time.Minute, alice)
	}))
	t.Run("PX-083", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		sent := call.Ack(Line("X-Ack: 1"), Body("text/plain", "answer"))
		ack := bob.Expect("ACK").WantURI(bob.ContactURI(udp)).Want("Max-Forwards", "69").Want("X-Ack", "1").Lacks("Route", "Record-Route").
			WantBody("answer")
		vias := ack.List("Via")
		if len(vias) != 2 || !strings.HasPrefix(vias[0], "SIP/2.0/UDP 192.0.2.222;branch=z9hG4bK") || !strings.Contains(vias[1], sent.Branch()) ||
			ack.Branch() == offer.Branch() {
			ack.Fatalf("Via is %q", vias)
		}
		// It is stateless: it goes once for each time that it comes, with the same branch (§16.11).
		silent(time.Minute, bob)
		sent.Again()
		if again := bob.Expect("ACK"); again.Raw != ack.Raw {
			again.Fatalf("another ACK than\n%s", ack.Raw)
		}
		silent(time.Minute, bob, s.alice)
	}))
}
