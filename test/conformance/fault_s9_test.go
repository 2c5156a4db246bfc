package conformance

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// gateways has the server send to next hops, and trust peers.
func gateways(c *config.Config) {
	c.Proxy.Outbound = []string{"sip:192.0.2.211", "sip:out.example.net"}
	c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.212/32")), config.Prefix(netip.MustParsePrefix("198.51.100.0/24"))}
	c.Routes = []config.Route{
		{Name: "trunk", User: "+", Hops: []string{"sip:192.0.2.210:5080;lr", "sip:trunk.example.net", "sip:anywhere.example.org;maddr=192.0.2.214"}},
		{Name: "peer", Source: []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.213/32"))}, Trusted: true},
	}
	c.DNS.Hosts = map[string][]string{"trunk.example.net": {"192.0.2.215"}, "alias.example.com": {"192.0.2.210"}, "alias2.example.com": {"192.0.2.215"},
		"alias3.example.com": {"192.0.2.212"}}
}

// TestFaultS9: contacts at third parties.
func TestFaultS9(t *testing.T) {
	for _, contact := range []string{"sip:+19005550100@192.0.2.210", "sip:+1900@192.0.2.210:5080;x=y", "sip:x@192.0.2.211;transport=tcp", "sip:x@TRUNK.example.net.",
		"sip:x@out.example.net:5099", "sip:x@192.0.2.212", "sip:x@198.51.100.77", "sip:x@192.0.2.213", "sip:x@192.0.2.214", "sip:x@anybody.example.com;maddr=192.0.2.210",
		"sip:x@[::ffff:192.0.2.210]", "sip:x@192.0.2.215"} {
		play(t, "S9 no contact at a next hop or trusted peer: "+contact, func(s *venue) {
			time.Sleep(time.Second) // until it is known where the next hops are
			p := phoneOf(s.t, s.Bed, udp, "bob")
			if r := p.Register(Contact("<" + contact + ">")).Expect(403); string(r.Reason()) != "Contact at a Next Hop or Trusted Peer of This Server" {
				s.t.Errorf("refused for %q", r.Reason())
			}
			if r := p.Register(Contact("<sip:bob@192.0.2.201>"), Line(supportsPath, "Path: <"+contact+";lr>")).Expect(403); string(r.Reason()) == "Forbidden" {
				s.t.Error("refused without a reason")
			}
			p.Register(Contact("<" + contact + ">;expires=0")).Expect(200)
			p.Bound()
		}, gateways)
	}
	// What a name turns out to be when it is called, and what a 3xx says.
	for _, contact := range []string{"sip:+1900@alias.example.com", "sip:+1900@alias2.example.com", "sip:+1900@alias3.example.com"} {
		play(t, "S9 a name that leads to one is not called: "+contact, func(s *venue) {
			var there []*Agent
			for _, address := range []string{"192.0.2.210", "192.0.2.212", "192.0.2.215"} {
				there = append(there, s.agent("gw", address))
			}
			s.Bind(s.t, "bob", "<"+contact+">")
			time.Sleep(time.Second)
			if status := s.final("INVITE", bobAOR); status != 480 {
				s.t.Errorf("answered %d", status)
			}
			silent(time.Minute, there...)
		}, gateways)
	}
	play(t, "S9 nor one that a 3xx gives: it is the caller's to decide on", func(s *venue) {
		gateway := s.agent("gw", "192.0.2.210")
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 302, Contact("<sip:+1900@192.0.2.210>"))
		moved := s.alice.Expect(302).Carries("Contact", "192.0.2.210")
		invite.Ack(moved)
		silent(time.Minute, gateway)
	}, gateways, recursing)
	play(t, "S9 who is there may register themselves", func(s *venue) {
		for _, address := range []string{"192.0.2.210", "192.0.2.212"} {
			peer := s.registrant(udp, address, "<sip:bob@"+address+">")
			s.alice.Request("MESSAGE", bobAOR)
			peer.Reply(peer.Expect("MESSAGE"), 200)
			s.alice.Expect(200)
			peer.Close()
			s.Bind(s.t, "bob") // a query
			phoneOf(s.t, s.Bed, udp, "bob").Register(Contact("*"), Expires(0)).Expect(200)
		}
	}, gateways)
	play(t, "S9 only where it is registered from, if the key says so", func(s *venue) {
		p := phoneOf(s.t, s.Bed, udp, "bob")
		from := p.Conn.Local()
		for contact, status := range map[string]int{"sip:bob@192.0.2.201": 403, "sip:bob@phone.example.net": 403, "sip:bob@192.0.2.201;transport=tcp": 403,
			"sip:bob@" + from.String(): 200, "sip:bob@192.168.0.7": 200, "sip:bob@x.invalid": 200, "sip:alice@" + bed.Domain: 200} {
			if r := p.Register(Contact("<" + contact + ">")).Expect(status); status == 403 && string(r.Reason()) != "Contact Is Not Where It Is Registered From" {
				s.t.Errorf("%s is refused for %q", contact, r.Reason())
			}
		}
		p.Register(Contact("<sip:bob@192.0.2.201>"), Line(supportsPath, "Path: <sip:192.0.2.201;lr>")).Expect(403)
	}, func(c *config.Config) { c.Registrar.ContactsAtSource = true })
	for _, method := range []string{"INVITE", "MESSAGE", "OPTIONS", "FOO"} {
		play(t, "S9 ten contacts at one silent address get few packets: "+method, func(s *venue) {
			victim := s.agent("victim", "192.0.2.250")
			var contacts []string
			for i := range 10 {
				contacts = append(contacts, fmt.Sprintf("<sip:x%d@192.0.2.250>", i))
			}
			s.Bind(s.t, "bob", contacts...)
			tap := s.net.Wiretap()
			s.alice.Request(method, bobAOR)
			time.Sleep(2 * time.Minute)
			if n := s.forwarded(tap); n != 5 {
				s.t.Errorf("%d packets, want 5: three of the first, one of each of two more", n)
			}
			victim.Drain()
		})
		play(t, "S9 ten silent addresses get few packets: "+method, func(s *venue) {
			var contacts []string
			for i := range 10 {
				contacts = append(contacts, fmt.Sprintf("<sip:x@192.0.2.%d>", 240+i))
			}
			s.Bind(s.t, "bob", contacts...)
			tap := s.net.Wiretap()
			s.alice.Request(method, bobAOR)
			time.Sleep(2 * time.Minute)
			if n := s.forwarded(tap); n != 18 {
				s.t.Errorf("%d packets, want 18: three to each of four, one to each of the others", n)
			}
		})
	}
	play(t, "S9 who has answered gets what RFC 3261 has", func(s *venue) {
		phones := s.phones("1", "1", "1", "1", "1")
		s.alice.Request("MESSAGE", bobAOR)
		for _, p := range phones {
			p.Reply(p.Expect("MESSAGE"), 480)
		}
		s.alice.Expect(480)
		s.alice.Request("MESSAGE", bobAOR)
		for _, p := range phones {
			wantTimes(t, copies(p, "MESSAGE", time.Minute), timerE...)
			break
		}
	})
	play(t, "S9 so does who has registered from there", func(s *venue) {
		phone := s.registrant(udp, at(0), "<sip:bob@"+at(0)+":5062>")
		phone.Close()
		tap := s.net.Wiretap()
		s.alice.Request("MESSAGE", bobAOR)
		time.Sleep(2 * time.Minute)
		if n := s.forwarded(tap); n != len(timerE) {
			s.t.Errorf("%d packets, want %d", n, len(timerE))
		}
	})
	play(t, "S9 a provisional response is an answer", func(s *venue) {
		bob := s.phone()
		s.alice.Request("MESSAGE", bobAOR)
		offer := bob.Expect("MESSAGE")
		time.Sleep(10 * time.Second)
		bob.Drain()
		bob.Reply(offer, 100)
		if again := copies(bob, "MESSAGE", 10*time.Second); len(again) != 2 {
			s.t.Errorf("%d copies in 10 s, want one each T2", len(again))
		}
		bob.Reply(offer, 200)
		s.alice.Expect(200)
	})
}
