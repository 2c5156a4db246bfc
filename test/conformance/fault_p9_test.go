package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultP9: tel URIs (RFC 3966).
func TestFaultP9(t *testing.T) {
	trunk := func(c *config.Config) {
		c.Routes = []config.Route{{Name: "trunk", User: "+", Hops: []string{"sip:192.0.2.210"}}}
	}
	// numbered is a phone of a user whose name is a number.
	numbered := func(s *venue, number string) *Agent {
		s.t.Helper()
		phone := s.agent("u1", at(0))
		s.Bind(s.t, number, "<"+phone.ContactURI(udp)+">")
		return phone
	}
	for _, uri := range []string{"tel:+12025550100", "TEL:+1-202-555-0100", "tel:+1(202)555.0100;ext=3", "tel:+12025550100;phone-context=elsewhere.example.org",
		"sip:+1-202-555-0100@" + bed.Domain + ";user=phone", "sip:+1-202-555-0100;ext=3@" + bed.Domain + ";user=phone"} {
		play(t, "P9 a user of that number: "+uri, func(s *venue) {
			phone := numbered(s, "+12025550100")
			invite := s.alice.Invite(uri)
			offer := phone.Expect("INVITE").WantURI(phone.ContactURI(udp))
			phone.Reply(offer, 180)
			s.alice.Expect(180)
			invite.Cancel()
			s.alice.Expect("200 CANCEL")
			give(offer)
			invite.Ack(s.alice.Expect("487 INVITE"))
			silent(time.Minute, s.alice, phone)
		})
	}
	play(t, "P9 local numbers", func(s *venue) {
		phone := numbered(s, "7042")
		for _, uri := range []string{"tel:7042", "tel:70-42;phone-context=" + bed.Domain, "tel:7042;phone-context=" + bed.Host} {
			s.alice.Request("MESSAGE", uri)
			phone.Reply(phone.Expect("MESSAGE"), 200)
			s.alice.Expect(200)
		}
		for _, uri := range []string{"tel:7042;phone-context=elsewhere.example.org", "tel:7042;phone-context=+1-202", "tel:7043", "tel:+7042"} {
			if status := s.final("INVITE", uri); status != 416 {
				s.t.Errorf("%s: %d", uri, status)
			}
		}
	})
	play(t, "P9 a route", func(s *venue) {
		gateway := s.agent("gw", "192.0.2.210")
		alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
		invite := alice.Invite("tel:+1-202-555-0199")
		challenge := alice.Expect(407)
		invite.Ack(challenge)
		invite.Retry(alice.Credentials(challenge))
		refuse(gateway.Expect("INVITE").WantURI("tel:+1-202-555-0199"), 486)
		alice.Expect(486)
		// Not for a stranger, and not for what no route takes.
		if status := s.final("INVITE", "tel:+12025550199"); status != 403 {
			s.t.Errorf("a stranger: %d", status)
		}
		if status := s.final("INVITE", "tel:911"); status != 416 {
			s.t.Errorf("no route: %d", status)
		}
		silent(time.Minute, gateway)
	}, trunk)
	play(t, "P9 a user before a route", func(s *venue) {
		gateway := s.agent("gw", "192.0.2.210")
		phone := numbered(s, "+12025550100")
		s.alice.Request("MESSAGE", "tel:+12025550100")
		phone.Reply(phone.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		silent(time.Minute, gateway)
	}, trunk)
	play(t, "P9 neither", func(s *venue) {
		for _, uri := range []string{"tel:+12025550199", "tel:+", "tel:bob", "foo:bar", "mailto:bob@" + bed.Domain} {
			for _, method := range []string{"INVITE", "MESSAGE", "OPTIONS"} {
				if status := s.final(method, uri); status != 416 {
					s.t.Errorf("%s %s: %d", method, uri, status)
				}
			}
		}
	})
}
