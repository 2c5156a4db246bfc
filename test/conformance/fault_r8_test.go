package conformance

import (
	"fmt"
	"testing"
	"time"

	. "biloxi/siptest"
)

// TestFaultR8: an INVITE that its caller cancels ends in 487, whatever becomes of its branches (RFC 3261 §9.2, §16.10). What a
// phone has decided goes back all the same: a 2xx, and a refusal that crosses the CANCEL (§16.7 step 5 and 6).
func TestFaultR8(t *testing.T) {
	// cancelled is a call of alice's to contacts that rings by the first of phones, and is cancelled.
	cancelled := func(s *stage, phones []*Agent, contacts ...string) (*Sent, []*Received) {
		s.t.Helper()
		s.Bind(s.t, "bob", contacts...)
		invite := s.alice.Invite(bobAOR)
		var offers []*Received
		for _, phone := range phones {
			offers = append(offers, phone.Expect("INVITE"))
			phone.Reply(offers[len(offers)-1], 180)
			s.alice.Expect(180)
		}
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		return invite, offers
	}
	t.Run("R8 the connection to the phone is refused after the CANCEL", onStage(func(s *stage) {
		s.net.SetLink(Link{Latency: 50 * time.Millisecond})
		invite, _ := cancelled(s, nil, "<sip:bob@192.0.2.201;transport=tcp>")
		invite.Ack(s.alice.Expect("487 INVITE"))
		silent(time.Minute, s.alice)
	}))
	t.Run("R8 the connection to the phone breaks after the CANCEL", onStage(func(s *stage) {
		bob := s.agent("bob", "192.0.2.201")
		invite, _ := cancelled(s, []*Agent{bob}, "<"+bob.ContactURI(tcp)+">")
		bob.Expect("CANCEL")
		bob.Hang()
		invite.Ack(s.alice.ExpectWithin(10*time.Second, "487 INVITE"))
		silent(time.Minute, s.alice)
	}))
	t.Run("R8 the name of the phone leads nowhere", onStage(func(s *stage) {
		s.net.SetLink(Link{Latency: 50 * time.Millisecond})
		invite, _ := cancelled(s, nil, "<sip:bob@192.0.2.201;transport=tcp>", "<sip:bob@nowhere.example.net>")
		// Before the CANCEL the branch may have gone over the flow that it was registered by, which leads nowhere either.
		invite.Ack(s.alice.ExpectWithin(40*time.Second, "487 INVITE"))
		silent(time.Minute, s.alice)
	}))
	t.Run("R8 the phone says nothing any more", onStage(func(s *stage) {
		bob := s.agent("bob", "192.0.2.201")
		invite, _ := cancelled(s, []*Agent{bob}, "<"+bob.ContactURI(udp)+">")
		invite.Ack(s.alice.ExpectWithin(40*time.Second, "487 INVITE"))
		silent(time.Minute, s.alice)
	}))
	for _, status := range []int{302, 401, 407, 408, 430, 487, 500, 502, 503, 504} {
		t.Run(fmt.Sprintf("R8 the phone answers the CANCEL, and %d to the INVITE", status), onStage(func(s *stage) {
			bob := s.agent("bob", "192.0.2.201")
			invite, offers := cancelled(s, []*Agent{bob}, "<"+bob.ContactURI(udp)+">")
			bob.Reply(bob.Expect("CANCEL"), 200)
			refuse(offers[0], status)
			invite.Ack(s.alice.Expect("487 INVITE"))
			silent(time.Minute, s.alice, bob)
		}))
	}
	for _, status := range []int{200, 404, 480, 486, 603} {
		t.Run(fmt.Sprintf("R8 a %d that crosses the CANCEL goes back", status), onStage(func(s *stage) {
			bob := s.agent("bob", "192.0.2.201")
			_, offers := cancelled(s, []*Agent{bob}, "<"+bob.ContactURI(udp)+">")
			bob.Reply(bob.Expect("CANCEL"), 200)
			bob.Reply(offers[0], status)
			s.alice.Expect(fmt.Sprint(status, " INVITE"))
		}))
	}
	t.Run("R8 one phone of three has asked for a password, one answers 500, one is gone", onStage(func(s *stage) {
		s.net.SetLink(Link{Latency: 50 * time.Millisecond})
		one, two := s.agent("bob", "192.0.2.201"), s.agent("bob", "192.0.2.202")
		s.Bind(s.t, "bob", "<"+one.ContactURI(udp)+">", "<"+two.ContactURI(udp)+">", "<sip:bob@192.0.2.203;transport=tcp>")
		invite := s.alice.Invite(bobAOR)
		refuse(one.Expect("INVITE"), 401)
		offer := two.Expect("INVITE")
		two.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		two.Reply(two.Expect("CANCEL"), 200)
		refuse(offer, 500)
		invite.Ack(s.alice.Expect("487 INVITE"))
		silent(time.Minute, s.alice, one, two)
	}))
}
