package conformance

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestRequestsSent: requests that the server sends (RFC 3261 §18.1).
func TestRequestsSent(t *testing.T) {
	large := Body("text/plain", strings.Repeat("x", 2000))
	play(t, "TP-003", func(s *venue) {
		bob := s.phone() // UDP, by its contact
		for _, method := range []string{"INVITE", "MESSAGE"} {
			s.alice.Request(method, bobAOR, large)
			offer := bob.Expect(method)
			if offer.Hop.Transport != tcp || !strings.HasPrefix(offer.List("Via")[0], "SIP/2.0/TCP 192.0.2.222") {
				offer.Fatalf("over %s", offer.Hop.Transport)
			}
			bob.Reply(offer, 404)
			s.alice.Expect(404)
			if method == "INVITE" {
				bob.Expect("ACK")
			}
		}
		s.alice.Request("MESSAGE", bobAOR, Body("text/plain", strings.Repeat("x", 500)))
		if small := bob.Next(time.Second); small == nil || !small.Is("MESSAGE") || small.Hop.Transport != udp {
			t.Errorf("a small one is %v", small)
		}
	})
	play(t, "TP-004", func(s *venue) {
		bob := s.agent("bob", at(0), func(o *AgentOptions) { o.Without = []sip.Transport{tcp} })
		s.Bind(s.t, "bob", "<"+bob.ContactURI(udp)+">")
		for _, method := range []string{"INVITE", "MESSAGE"} {
			s.alice.Request(method, bobAOR, large)
			offer := bob.Expect(method)
			if offer.Hop.Transport != udp || !strings.HasPrefix(offer.List("Via")[0], "SIP/2.0/UDP 192.0.2.222") || len(offer.Body()) != 2000 {
				offer.Fatalf("over %s", offer.Hop.Transport)
			}
			bob.Reply(offer, 200)
			s.alice.Expect(200)
		}
	})
	play(t, "TP-006", func(s *venue) {
		bob := s.secure("bob", at(0))
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			vias := offer.List("Via")
			via, err := sip.ParseVia([]byte(vias[0]))
			if err != nil || via.Transport != transport || offer.Hop.Transport != transport || string(via.Host) != "192.0.2.222" ||
				via.Port != 0 && via.Port != s.Addr(transport).Port() || len(vias) != 2 || vias[1] != viaOf(invite) {
				offer.Fatalf("Via %v", vias)
			}
			bob.Reply(offer, 486) // it goes to the sent-by and finds the way
			bob.Expect("ACK")
			invite.Ack(s.alice.Expect(486))
			phoneOf(s.t, s.Bed, udp, "bob").Register(Contact("*"), Expires(0)).Expect(200)
		}
	})
	t.Run("TP-007", func(t *testing.T) {
		for _, transport := range []sip.Transport{tcp, tls} {
			play(t, transport.String(), func(s *venue) {
				bob := s.secure("bob", at(0))
				s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
				s.alice.Invite(bobAOR)
				offer := bob.Expect("INVITE")
				bob.Reply(offer, 180) // down the same connection
				s.alice.Expect(180)
				bob.Hang()
				time.Sleep(time.Second)
				bob.Reply(offer, 200) // over one of bob's own, to the sent-by
				s.alice.Expect(200)
			})
		}
	})
	t.Run("TP-008", func(t *testing.T) {
		for _, transport := range []sip.Transport{tcp, tls} {
			play(t, transport.String(), func(s *venue) {
				bob := s.secure("bob", at(0))
				s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
				ways := map[Hop]bool{}
				for range 5 {
					s.alice.Invite(bobAOR)
					offer := bob.Expect("INVITE")
					ways[offer.Hop] = true
					bob.Reply(offer, 486)
					ack := bob.Expect("ACK")
					ways[ack.Hop] = true
					time.Sleep(10 * time.Second)
				}
				if len(ways) != 1 {
					t.Errorf("connections: %v", ways)
				}
			})
		}
	})
	t.Run("TP-030", func(t *testing.T) {
		// On the real network, since it takes an ICMP message: nobody is at the first address.
		closed, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := closed.LocalAddr().(*net.UDPAddr).Port
		closed.Close()
		bob := NewAgent(t, AgentOptions{Address: "127.0.0.1", User: "bob"})
		b := bed.Start(t, bed.Options{DNS: NewDNS(t, fmt.Sprintf(`
			_sip._udp.phone.example.com. SRV 10 1 %d phone.example.com.
			_sip._udp.phone.example.com. SRV 20 1 %d phone.example.com.
			phone.example.com. A 127.0.0.1`, port, bob.Addr(udp).Port()))})
		alice := b.Agent(t, AgentOptions{User: "alice", Domain: foreign})
		b.Bind(t, "bob", "<sip:bob@phone.example.com>")
		alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 180) // within 5 s, not Timer B's 32 s
		alice.Expect(180)
		// And nobody at all.
		b.Bind(t, "u0", fmt.Sprintf("<sip:u0@127.0.0.1:%d>", port))
		alice.Invite("sip:u0@" + bed.Domain)
		alice.Expect(500)
	})
}

// viaOf is the Via of a request as it was sent.
func viaOf(s *Sent) string {
	v, _ := s.Value(sip.HeaderVia)
	return string(v)
}
