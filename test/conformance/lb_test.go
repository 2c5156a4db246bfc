package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// back has an agent send a request back to the server that it got from there, with a Via of its own, as a proxy with
// other ideas would.
func back(offer *Received, uri string, edits ...Edit) *Sent {
	offer.T.Helper()
	return offer.Agent.Request(string(offer.Method()), uri, append([]Edit{From(offer.Header("From")), To(offer.Header("To")), CallID(offer.ID()),
		CSeq(offer.CSeqNumber()), MaxForwards(offer.Header("Max-Forwards")), Line("Via: " + strings.Join(offer.List("Via"), ", "))}, edits...)...)
}

// breadth is the one Max-Breadth of a request.
func breadth(r *Received) int {
	r.T.Helper()
	n, err := strconv.Atoi(r.Header("Max-Breadth"))
	if err != nil || len(r.List("Max-Breadth")) != 1 {
		r.Fatalf("Max-Breadth is %q", r.Values("Max-Breadth"))
	}
	return n
}

// maxBreadth sets the Max-Breadth of a request.
func maxBreadth(n int) Edit { return Line(fmt.Sprint("Max-Breadth: ", n)) }

// TestLoops: requests that come back (RFC 5393 §4).
func TestLoops(t *testing.T) {
	play(t, "LB-001", func(s *venue) {
		s.dns.Add(s.t, "biloxi.example.com. A 192.0.2.222")
		carol := s.agent("u0", at(0))
		s.Bind(s.t, "u0", "<"+carol.ContactURI(udp)+">")
		s.Bind(s.t, "bob", "<sip:alice@biloxi.example.com>", "<sip:u0@biloxi.example.com>")
		s.Bind(s.t, "alice", "<sip:bob@biloxi.example.com>", "<sip:u0@biloxi.example.com>")
		tap := s.net.Wiretap()
		invite := s.alice.Invite(bobAOR)
		// carol is reached once, though bob and alice both lead there, and to each other.
		refuse(carol.Expect("INVITE"), 486)
		invite.Ack(s.alice.Expect(486))
		silent(time.Minute, s.alice, carol)
		sent := 0
		for _, m := range tap.Messages() {
			if m.From.Addr() == s.Addr(udp).Addr() && m.Is() == "INVITE" {
				sent++
			}
		}
		if sent != 1 {
			t.Errorf("%d INVITEs sent", sent)
		}
	})
	play(t, "LB-002", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 100)
		again := back(offer, bobAOR)
		again.Ack(bob.Expect("482 INVITE"))
		silent(time.Minute, bob)
		// A Via that looks like the server's but has the sent-by of another is none of its own.
		there := offer.List("Via")[0]
		back(offer, bobAOR, Rewrite(there, strings.Replace(there, "192.0.2.222", "192.0.2.223", 1)), CallID(offer.ID()))
		if on := bob.Next(time.Second); on == nil || on.Status() != 100 {
			t.Fatalf("not on its way: %v", on)
		}
		bob.Expect("INVITE")
	})
	play(t, "LB-003", func(s *venue) {
		bob := s.phone()
		carol := s.agent("alice", at(1))
		s.Bind(s.t, "alice", "<"+carol.ContactURI(udp)+">")
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		// bob sends it to alice, who is a user of the same server, and she to another user, whose phone is bob's.
		back(offer, "sip:alice@biloxi.example.com")
		spiral := carol.Expect("INVITE")
		if vias := spiral.List("Via"); len(vias) != 4 {
			spiral.Fatalf("%d Vias", len(vias))
		}
		s.Bind(s.t, "u0", "<"+bob.ContactURI(udp)+">")
		back(spiral, "sip:u0@biloxi.example.com")
		last := bob.Expect("INVITE")
		bob.Reply(last, 200)
		carol.Expect(200)
	})
	play(t, "LB-003", func(s *venue) { // a chain of users at one server, each with its address-of-record as another's contact
		s.dns.Add(s.t, "biloxi.example.com. A 192.0.2.222")
		phone := s.agent("u2", at(0))
		s.Bind(s.t, "bob", "<sip:u0@biloxi.example.com>")
		s.Bind(s.t, "u0", "<sip:u1@biloxi.example.com>")
		s.Bind(s.t, "u1", "<sip:u2@biloxi.example.com>")
		s.Bind(s.t, "u2", "<"+phone.ContactURI(udp)+">")
		invite := s.alice.Invite(bobAOR)
		offer := phone.Expect("INVITE").Want("Max-Forwards", "69")
		phone.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		phone.Expect("ACK")
		call.Bye()
		phone.Reply(phone.Expect("BYE"), 200)
		s.alice.Expect(200)
	})
	play(t, "LB-004", func(s *venue) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 100)
		// The same way with another method.
		for _, method := range []string{"MESSAGE", "OPTIONS", "FOO"} {
			back(offer, bobAOR, Method(method))
			bob.Expect("482 " + method)
		}
		// The location service decides by the address-of-record alone: another way to write it is no other way.
		for _, other := range []Edit{Route("<sip:192.0.2.222;lr>"), URI(bobAOR + ";transport=udp"), URI("sip:b%6fb@" + strings.ToUpper(bed.Domain))} {
			back(offer, bobAOR, Method("MESSAGE"), other)
			bob.Expect("482 MESSAGE")
		}
	})
	play(t, "LB-004", func(s *venue) { // where it does not decide, another Route or another Request-URI is another way
		carol := s.agent("carol", at(0))
		s.alice.Invite(carol.ContactURI(udp))
		offer := carol.Expect("INVITE")
		carol.Reply(offer, 100)
		back(offer, carol.ContactURI(udp), Method("MESSAGE"))
		carol.Expect("482 MESSAGE")
		for _, other := range []Edit{Route("<sip:192.0.2.222;lr>"), URI(carol.ContactURI(udp) + ";x=y")} {
			back(offer, carol.ContactURI(udp), Method("MESSAGE"), other)
			on := carol.Expect("MESSAGE")
			carol.Reply(on, 200)
			carol.Expect("200 MESSAGE")
		}
	}, trustAll)
	play(t, "LB-004", func(s *venue) { // a CANCEL has the branch of its INVITE, hash and all
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel()
		s.alice.Expect("200 CANCEL")
		if cancel := bob.Expect("CANCEL"); cancel.Branch() != offer.Branch() {
			cancel.Fatalf("not the branch of the INVITE")
		}
	})
	play(t, "LB-005", func(s *venue) {
		phones := s.phones("1", "1", "1")
		first, second := map[string]bool{}, map[string]bool{}
		for i := range 4 {
			s.alice.Request("MESSAGE", bobAOR)
			for _, p := range phones {
				offer := p.Expect("MESSAGE")
				one, two, both := strings.Cut(strings.TrimPrefix(offer.Branch(), "z9hG4bK"), ".")
				if !both || first[one] || !strings.HasPrefix(offer.Branch(), "z9hG4bK") {
					offer.Fatalf("the branch is %s, after %v", offer.Branch(), first)
				}
				first[one], second[two] = true, true
				p.Reply(offer, 404)
			}
			if len(second) != i+1 {
				t.Errorf("second parts after %d requests: %v", i+1, second)
			}
		}
	})
}

// TestBreadth: how many branches a request may have at a time (RFC 5393 §5.3.3).
func TestBreadth(t *testing.T) {
	play(t, "LB-006/LB-010/LB-011", func(s *venue) {
		bob := s.phone()
		for _, method := range []string{"INVITE", "MESSAGE", "OPTIONS", "FOO"} {
			for said, want := range map[string]int{"": 60, "Max-Breadth: 60": 60, "max-breadth :  7 ": 7, "Max-Breadth: 1": 1} {
				if said == "" {
					s.alice.Request(method, bobAOR)
				} else {
					s.alice.Request(method, bobAOR, Line(said))
				}
				offer := bob.Expect(method)
				if n := breadth(offer); n != want {
					offer.Fatalf("Max-Breadth is %d, want %d", n, want)
				}
				bob.Reply(offer, 404)
				if method == "INVITE" {
					bob.Expect("ACK")
				}
			}
		}
	})
	play(t, "LB-007", func(s *venue) {
		phones := s.phones("1", "1")
		for _, said := range []string{"10000", "61", "4294967295"} {
			s.alice.Request("MESSAGE", bobAOR, Line("Max-Breadth: "+said))
			sum := 0
			for _, p := range phones {
				offer := p.Expect("MESSAGE")
				sum += breadth(offer)
				p.Reply(offer, 404)
			}
			if sum > 60 {
				t.Errorf("of %s became %d", said, sum)
			}
		}
	})
	play(t, "LB-008/LB-011", func(s *venue) {
		phones := s.phones("1", "1", "1")
		for limit, said := range map[int]Edit{60: Line(), 3: maxBreadth(3), 10: maxBreadth(10), 4: Line("Max-Breadth: 10", "Max-Breadth: 4")} {
			s.alice.Request("MESSAGE", bobAOR, said)
			sum := 0
			for _, p := range phones {
				offer := p.Expect("MESSAGE")
				n := breadth(offer)
				if n < 1 {
					offer.Fatalf("Max-Breadth is %d", n)
				}
				sum += n
				p.Reply(offer, 404)
			}
			s.alice.Expect(404)
			if sum > limit {
				t.Errorf("of %d became %d", limit, sum)
			}
		}
	})
	play(t, "LB-009", func(s *venue) {
		phones := s.phones("1", "1")
		invite := s.alice.Invite(bobAOR, maxBreadth(1))
		first := phones[0].Expect("INVITE")
		if breadth(first) != 1 {
			first.Fatalf("Max-Breadth")
		}
		phones[0].Reply(first, 180)
		silent(20*time.Second, phones[1]) // one at a time
		refuse(first, 486)
		second := phones[1].Expect("INVITE")
		if breadth(second) != 1 {
			second.Fatalf("Max-Breadth")
		}
		phones[1].Reply(second, 200)
		s.alice.Expect(180)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		phones[1].Expect("ACK")
		// None at all.
		invite = s.alice.Invite(bobAOR, maxBreadth(0))
		invite.Ack(s.alice.Expect(440))
		silent(time.Minute, append(phones, s.alice)...)
	})
}
