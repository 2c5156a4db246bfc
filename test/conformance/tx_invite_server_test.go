package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "biloxi/siptest"
)

// TestServerMatching: which requests belong to one transaction (RFC 3261 §17.2.3).
func TestServerMatching(t *testing.T) {
	play(t, "TX-001", func(s *venue) {
		bob := s.phone()
		via := func(port int, branch string) Edit {
			return Via(fmt.Sprintf("SIP/2.0/UDP 192.0.2.101:%d;rport;branch=%s", port, branch))
		}
		invite := s.alice.Invite(bobAOR, via(5060, "z9hG4bKone"))
		bob.Reply(bob.Expect("INVITE"), 180)
		ringing := s.alice.Expect(180)
		// The same branch and sent-by, however they are written.
		s.alice.Send(invite.Hop, []byte(strings.Replace(invite.Raw, "z9hG4bKone", "z9hg4bkONE", 1)))
		copyOf(s.alice.Expect(180), ringing)
		s.alice.Send(invite.Hop, []byte(strings.Replace(invite.Raw, "192.0.2.101:5060", "192.0.2.101", 1)))
		copyOf(s.alice.Expect(180), ringing)
		bob.ExpectNothing(0)
		// Another sent-by, and then another branch.
		for i, other := range []Edit{via(5070, "z9hG4bKone"), via(5060, "z9hG4bKtwo")} {
			s.alice.Invite(bobAOR, other, CallID(fmt.Sprint("other", i)))
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 486)
			bob.Expect("ACK")
			refused := s.alice.Expect(486)
			if refused.ID() != offer.ID() {
				refused.Fatalf("not of the new transaction")
			}
			// The ACK belongs to its INVITE, whose branch and sent-by it has.
			s.alice.Request("ACK", bobAOR, other, CallID(offer.ID()), To(refused.Header("To")), From(refused.Header("From")), CSeq(offer.CSeqNumber()))
			silent(time.Minute, s.alice, bob)
		}
	})
	play(t, "TX-002", func(s *venue) {
		bob := s.phone()
		// A client of RFC 2543: its branch says nothing, and is the same in all that it sends.
		old := Via("SIP/2.0/UDP 192.0.2.101:5060;branch=1")
		invite := s.alice.Invite(bobAOR, old)
		offer := bob.Expect("INVITE")
		invite.Again()
		bob.Reply(offer, 180)
		ringing := s.alice.Expect(180)
		invite.Again()
		copyOf(s.alice.Expect(180), ringing)
		bob.ExpectNothing(0)
		bob.Reply(offer, 486)
		bob.Expect("ACK")
		invite.Again()
		copyOf(s.alice.Expect(486), s.alice.Expect(486))
		// The ACK of another response, by its To tag, is none of this.
		invite.Ack(ringing, To(strings.Replace(ringing.Header("To"), ";tag=", ";tag=x", 1)))
		if more := s.alice.Next(time.Second); more == nil || !more.Is("486") {
			t.Fatalf("the ACK of somebody else ends the transaction: %v", more)
		}
		bob.Expect("ACK") // it may be of a 2xx that the server knows nothing of
		invite.Ack(ringing)
		silent(20*time.Second, s.alice, bob)
		// Each of these makes a transaction of its own: Call-ID, CSeq, From tag, Request-URI, Via.
		base := []Edit{old, CallID(invite.ID()), From(ringing.Header("From")), CSeq(1)}
		for _, other := range []Edit{CallID("other"), CSeq(2), From("<sip:alice@" + foreign + ">;tag=other"), URI(bobAOR + ";x=y"),
			Via("SIP/2.0/UDP 192.0.2.101:5060;branch=2")} {
			again := s.alice.Request("INVITE", bobAOR, append(base[:4:4], other)...)
			refuse(bob.Expect("INVITE"), 486)
			again.Ack(s.alice.Expect(486))
		}
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-036", func(s *venue) {
		bob := s.phone()
		// An ACK of nothing.
		s.alice.Request("ACK", bobAOR, To("<"+bobAOR+">;tag=x"))
		s.alice.Request("ACK", "sip:"+at(9), To("<"+bobAOR+">;tag=x"))
		s.alice.ExpectNothing(time.Minute)
		for _, ack := range bob.Drain() { // it may be forwarded, once
			if !ack.Is("ACK") {
				ack.Fatalf("not an ACK")
			}
		}
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		// A CANCEL is a transaction of its own, with the INVITE's branch: the same again gets the same again.
		cancel := invite.Cancel()
		confirmed := s.alice.Expect("200 CANCEL")
		give(offer)
		invite.Ack(s.alice.Expect("487 INVITE"))
		cancel.Again()
		copyOf(s.alice.Expect("200 CANCEL"), confirmed)
		silent(time.Minute, s.alice, bob)
	})
}

// TestInviteServer: INVITE server transactions (RFC 3261 §17.2.1, RFC 6026 §7.1).
func TestInviteServer(t *testing.T) {
	play(t, "TX-003/TX-034", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		trying := s.alice.Expect(100)
		if trying.ToTag() != "" {
			trying.Fatalf("a To tag")
		}
		invite.Again()
		copyOf(s.alice.Expect(100), trying)
		for _, status := range []int{180, 183} {
			bob.Reply(offer, status)
			first := s.alice.Expect(status)
			for range 3 {
				invite.Again()
				copyOf(s.alice.Expect(status), first)
			}
		}
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-004", func(s *venue) {
		bob := s.phone()
		for _, status := range []int{302, 486, 500, 603} {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			s.alice.Expect(180)
			refuse(offer, status)
			first := s.alice.Expect(status)
			for range 3 {
				invite.Again()
				copyOf(s.alice.Expect(status), first)
			}
			invite.Ack(first)
			silent(time.Minute, s.alice, bob)
		}
	})
	play(t, "TX-005/TX-006", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		s.alice.Expect(100)
		refuse(bob.Expect("INVITE"), 486)
		wantTimes(t, copies(s.alice, "486", 10*time.Minute), timerE...)
		// Timer H has ended it: the same INVITE is a new one.
		invite.Again()
		s.alice.Expect(100)
		refuse(bob.Expect("INVITE"), 486)
		time.Sleep(31900 * time.Millisecond)
		if len(s.alice.Drain()) != len(timerE) {
			t.Error("not all of the copies")
		}
		invite.Again() // before Timer H
		s.alice.Expect(486)
		bob.ExpectNothing(0)
	})
	play(t, "TX-007", func(s *venue) {
		bob := s.phone()
		carol := s.agent("carol", "192.0.2.102", s.through(tcp))
		carol.Invite(bobAOR)
		carol.Expect(100)
		refuse(bob.Expect("INVITE"), 486)
		wantTimes(t, copies(carol, "486", 10*time.Minute), 0)
	})
	play(t, "TX-008/TX-009", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 486)
		busy := s.alice.Expect(486)
		wantTimes(t, copies(s.alice, "486", time.Second), 0)
		ack := invite.Ack(busy)
		// Timer G is stopped, another ACK and a late INVITE are absorbed for as long as Timer I.
		silent(4900*time.Millisecond, s.alice, bob)
		ack.Again()
		invite.Again()
		silent(0, s.alice, bob)
		silent(200*time.Millisecond, s.alice, bob)
		invite.Again()
		bob.Expect("INVITE")
		// Over TCP Timer I is 0.
		carol := s.agent("carol", "192.0.2.102", s.through(tcp))
		invite = carol.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 486)
		invite.Ack(carol.Expect(486))
		silent(100*time.Millisecond, carol)
		invite.Again()
		bob.Expect("INVITE")
	})
	play(t, "TX-010", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		s.alice.Expect(200)
		for range 4 { // up to 31.6 s: Timer L is 32 s
			time.Sleep(7900 * time.Millisecond)
			invite.Again()
			silent(0, s.alice, bob)
		}
		time.Sleep(500 * time.Millisecond)
		invite.Again()
		bob.Expect("INVITE")
	})
	play(t, "TX-011", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		s.alice.Expect(100)
		first := ""
		for _, wait := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
			silent(wait, s.alice, bob) // nothing but what bob sends
			bob.Reply(offer, 200)
			got := s.alice.Expect(200)
			if first == "" {
				first = got.Raw
			}
			if got.Raw != first {
				got.Fatalf("not the 200 of before")
			}
		}
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-012", func(s *venue) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK").WantURI(bob.ContactURI(udp)).Want("CSeq", "1 ACK")
		// So does one with the branch of the INVITE, as from an old client: it matches the transaction.
		call.Ack(Branch(invite.Branch()))
		bob.Expect("ACK").WantURI(bob.ContactURI(udp))
		silent(time.Minute, s.alice, bob)
	})
	play(t, "TX-013", func(s *venue) {
		bob := s.phone()
		carol := s.agent("carol", "192.0.2.102", s.through(tcp), func(o *AgentOptions) { o.Without = append(o.Without, tcp) })
		invite := carol.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		carol.Expect(180)
		carol.Hang()
		time.Sleep(time.Second)
		bob.Reply(offer, 200) // there is no way back to carol
		time.Sleep(time.Second)
		invite.Again()
		silent(0, bob, carol)
		// The transaction goes on until Timer L; then the INVITE is new.
		silent(20*time.Second, bob, carol)
		invite.Again()
		silent(0, bob, carol)
		time.Sleep(15 * time.Second)
		invite.Again()
		bob.Expect("INVITE")
	})
	play(t, "TX-042", func(s *venue) {
		// What bob is called nobody knows yet, so that the 487 is the server's own.
		s.dns.Silence("slow.example.com")
		s.Bind(s.t, "bob", "<sip:bob@slow.example.com>")
		invite := s.alice.Invite(bobAOR)
		s.alice.Expect(100)
		invite.Cancel()
		confirmed := s.alice.Expect("200 CANCEL")
		ended := s.alice.Expect("487 INVITE")
		if confirmed.ToTag() == "" || confirmed.ToTag() != ended.ToTag() {
			ended.Fatalf("the 200 to CANCEL has the To tag %q", confirmed.ToTag())
		}
		invite.Ack(ended)
		silent(time.Minute, s.alice)
	})
}
