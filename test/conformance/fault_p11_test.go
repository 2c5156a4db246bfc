package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// closed has a domain want credentials of all callers.
func closed(c *config.Config) { c.Domains[0].Callers = config.CallersAuthenticated }

// TestFaultP11: users who forward to users here.
func TestFaultP11(t *testing.T) {
	// ring has the call of alice, a stranger or a user, reach the phone that is behind it all.
	ring := func(s *venue, alice, phone *Agent, uri string) {
		s.t.Helper()
		tap := s.net.Wiretap()
		invite := alice.Invite(uri)
		if alice.Domain == bed.Domain {
			challenge := alice.Expect(407)
			invite.Ack(challenge)
			invite = invite.Retry(alice.Credentials(challenge))
		}
		offer := phone.Expect("INVITE").WantURI(phone.ContactURI(udp)).Want("Max-Forwards", "69").Lacks("Proxy-Authorization")
		phone.Reply(offer, 200)
		call := alice.Dialog(invite, alice.Expect(200))
		call.Ack()
		phone.Expect("ACK")
		call.Bye()
		phone.Reply(phone.Expect("BYE"), 200)
		alice.Expect(200)
		if n := s.forwarded(tap); n != 3 {
			s.t.Errorf("%d requests sent for INVITE, ACK and BYE", n)
		}
	}
	for name, change := range map[string]func(*config.Config){"": nil, " of a closed domain": closed} {
		play(t, "P11 a binding that is a user"+name, func(s *venue) {
			u1 := s.agent("u1", at(0))
			s.Bind(s.t, "bob", "<sip:u0@"+bed.Domain+">")
			s.Bind(s.t, "u0", "<sip:u1@"+bed.Host+";transport=tcp>")
			s.Bind(s.t, "u1", "<"+u1.ContactURI(udp)+">")
			if name == "" {
				ring(s, s.alice, u1, bobAOR)
			}
			alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
			ring(s, alice, u1, bobAOR)
		}, func(c *config.Config) {
			if change != nil {
				change(c)
			}
		})
		play(t, "P11 a 302 that is a user"+name, func(s *venue) {
			bob, u0, u1 := s.phone(), s.agent("u0", at(1)), s.agent("u1", at(2))
			s.Bind(s.t, "u0", "<"+u0.ContactURI(udp)+">;q=0.2", "<sip:u1@"+bed.Domain+">;q=0.1")
			s.Bind(s.t, "u1", "<"+u1.ContactURI(udp)+">")
			alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
			invite := alice.Invite(bobAOR)
			challenge := alice.Expect(407)
			invite.Ack(challenge)
			invite = invite.Retry(alice.Credentials(challenge))
			refuse(bob.Expect("INVITE"), 302, Contact("<sip:u0@"+bed.Domain+">"))
			refuse(u0.Expect("INVITE"), 486)
			offer := u1.Expect("INVITE")
			u1.Reply(offer, 200)
			alice.Dialog(invite, alice.Expect(200)).Ack()
			u1.Expect("ACK")
			silent(time.Minute, bob, u0, alice)
		}, recursing, func(c *config.Config) {
			if change != nil {
				change(c)
			}
		})
	}
	play(t, "P11 a group in another domain, which redirects its own callers", func(s *venue) {
		one, two := s.agent("u0", at(0)), s.agent("u1", at(1))
		s.Bind(s.t, "bob", "<sip:u5@groups.example.com>")
		p := NewPhone(s.t, conn(s.t, s.Bed, udp), "u5", "groups.example.com", bed.Password("u5"))
		p.Register(Contact("<sip:u0@"+bed.Domain+">;q=0.7", "<sip:u1@"+bed.Domain+">;q=0.3")).Expect(200)
		s.Bind(s.t, "u0", "<"+one.ContactURI(udp)+">;q=0.1")
		s.Bind(s.t, "u1", "<"+two.ContactURI(udp)+">")
		s.alice.Invite(bobAOR)
		offer := one.Expect("INVITE")
		silent(100*time.Millisecond, two)
		refuse(offer, 486)
		refuse(two.Expect("INVITE"), 486)
		s.alice.Expect(486)
	}, func(c *config.Config) {
		group := c.Domains[0]
		group.Name, group.Aliases, group.Mode, group.Realm = "groups.example.com", nil, config.ModeRedirect, "groups"
		c.Domains = append(c.Domains, group)
	})
	play(t, "P11 forwarded by a route, in the name of whoever forwards", func(s *venue) {
		gateway := s.agent("gw", "192.0.2.210")
		s.Bind(s.t, "bob", "<sip:+12025550100@"+bed.Domain+">")
		s.alice.Request("MESSAGE", bobAOR)
		gateway.Reply(gateway.Expect("MESSAGE").WantURI("sip:+12025550100@"+bed.Domain), 200)
		s.alice.Expect(200)
		s.alice.Request("MESSAGE", "sip:+12025550100@"+bed.Domain) // a stranger of their own may not
		s.alice.Expect(403)
		silent(time.Minute, gateway)
	}, func(c *config.Config) {
		c.Routes = []config.Route{{Name: "trunk", User: "+", Hops: []string{"sip:192.0.2.210"}}}
	})
}
