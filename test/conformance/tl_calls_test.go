package conformance

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// safe is a phone of bob's that registers over TLS with a sips contact.
func (s *venue) safe(address string) *Agent {
	s.t.Helper()
	bob := s.secure("bob", address, s.through(tls), func(o *AgentOptions) { o.Domain, o.Password = bed.Domain, bed.Password("bob") })
	first := bob.Request("REGISTER", "sips:"+bed.Domain, To("<"+bob.AOR()+">"), Contact("<sips:bob@"+address+">"))
	first.Retry(bob.Credentials(bob.Expect(401)))
	bob.Expect(200)
	return bob
}

// TestSIPS: what a proxy makes of sips (RFC 5630 §5.3).
func TestSIPS(t *testing.T) {
	play(t, "TL-011", func(s *venue) {
		bob := s.safe(at(0))
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			carol := s.secure("carol", "192.0.2.102", s.through(transport))
			invite := carol.Invite(bobAOR)
			offer := bob.Expect("INVITE").WantURI("sip:bob@" + at(0))
			if offer.Hop.Transport != tls {
				offer.Fatalf("not over TLS")
			}
			bob.Reply(offer, 200)
			call := carol.Dialog(invite, carol.Expect(200))
			call.Ack()
			bob.Expect("ACK")
			call.Bye()
			bob.Reply(bob.Expect("BYE"), 200)
			carol.Expect(200)
			carol.Close()
		}
	})
	play(t, "TL-011", func(s *venue) { // through a proxy that bob registered by
		edge := s.secure("edge", "192.0.2.210")
		phone := phoneOf(s.t, s.Bed, tls, "bob")
		phone.Register(Contact("<sips:bob@"+at(0)+">"), Line(supportsPath, "Path: <sips:192.0.2.210;lr>")).Expect(200)
		s.alice.Invite(bobAOR)
		offer := edge.Expect("INVITE").WantURI("sip:bob@"+at(0)).Want("Route", "<sips:192.0.2.210;lr>")
		if offer.Hop.Transport != tls {
			offer.Fatalf("not over TLS")
		}
	})
	play(t, "TL-012", func(s *venue) {
		bob := s.phone()
		carol := s.agent("carol", "192.0.2.102", s.through(tls))
		for _, method := range []string{"INVITE", "MESSAGE"} {
			request := carol.Request(method, "sips:bob@"+bed.Domain)
			refused := carol.Expect("480 "+method).Carries("Warning", "380 ")
			if method == "INVITE" {
				request.Ack(refused)
			}
		}
		silent(time.Minute, bob, carol)
	})
	play(t, "TL-013", func(s *venue) {
		bob, other := s.safe(at(0)), s.agent("bob", at(1))
		s.Bind(s.t, "bob", "<"+other.ContactURI(udp)+">", "<"+other.ContactURI(tcp)+">")
		carol := s.agent("carol", "192.0.2.102", s.through(tls))
		carol.Request("MESSAGE", "sips:bob@"+bed.Domain)
		offer := bob.Expect("MESSAGE").WantURI("sips:bob@" + at(0))
		if offer.Hop.Transport != tls {
			offer.Fatalf("not over TLS")
		}
		bob.Reply(offer, 200)
		carol.Expect(200)
		// When the connection has gone there is the contact. Without TLS there is no way, though it is the last hop and
		// bob hears UDP and TCP.
		bob.Hang()
		time.Sleep(time.Second)
		carol.Request("MESSAGE", "sips:bob@"+bed.Domain)
		offer = bob.Expect("MESSAGE").WantURI("sips:bob@" + at(0))
		if offer.Hop.Transport != tls {
			offer.Fatalf("not over TLS")
		}
		bob.Reply(offer, 200)
		carol.Expect(200)
		bob.Close()
		time.Sleep(time.Second)
		carol.Request("MESSAGE", "sips:bob@"+bed.Domain)
		carol.Expect(480)
		silent(time.Minute, other)
	})
	play(t, "TL-013", func(s *venue) { // nor to another domain
		far := s.agent("carol", "192.0.2.240")
		s.dns.Add(s.t, `
			far.example.net. NAPTR 10 10 s SIP+D2U _sip._udp.far.example.net.
			_sip._udp.far.example.net. SRV 10 1 5060 far.example.net.
			_sip._tcp.far.example.net. SRV 10 1 5060 far.example.net.
			far.example.net. A 192.0.2.240`)
		carol := s.agent("carol", "192.0.2.102", s.through(tls))
		carol.Request("MESSAGE", "sips:carol@far.example.net")
		silent(time.Minute, far)
		for _, r := range carol.Drain() {
			if r.Status() != 100 && r.Status() < 400 {
				r.Fatalf("it went on")
			}
		}
	}, trustEverybody)
}
