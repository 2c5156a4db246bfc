package conformance

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultP10: what a phone sends to its own address-of-record.
func TestFaultP10(t *testing.T) {
	// phone is one of bob's, registered over a transport with a contact of its own.
	phone := func(s *venue, transport sip.Transport, address, params string) *Agent {
		s.t.Helper()
		a := s.secure("bob", address, s.through(transport), func(o *AgentOptions) { o.Domain, o.Password = bed.Domain, bed.Password("bob") })
		first := a.Request("REGISTER", "sip:"+bed.Domain, To("<"+bobAOR+">"), Contact("<"+a.ContactURI(transport)+">"+params))
		first.Retry(a.Credentials(a.Expect(401)))
		a.Expect(200)
		return a
	}
	// ask sends a request with credentials.
	ask := func(a *Agent, method string, edits ...Edit) *Sent {
		a.T.Helper()
		first := a.Request(method, bobAOR, edits...)
		challenge := a.Expect(407)
		if method == "INVITE" {
			first.Ack(challenge)
		}
		return first.Retry(a.Credentials(challenge))
	}
	for _, transport := range []sip.Transport{udp, tcp, tls} {
		for _, c := range []struct {
			method, event string
			status        int
		}{{"SUBSCRIBE", "message-summary", 489}, {"SUBSCRIBE", "presence", 489}, {"SUBSCRIBE", "reg", 489}, {"PUBLISH", "presence", 405},
			{"NOTIFY", "message-summary", 481}} {
			play(t, "P10 "+c.method+" "+c.event+" over "+transport.String(), func(s *venue) {
				bob := phone(s, transport, at(0), "")
				ask(bob, c.method, Line("Event: "+c.event))
				r := bob.Expect(c.status)
				if c.status == 405 && len(r.Values("Allow")) != 1 {
					r.Fatalf("without Allow")
				}
				silent(time.Minute, bob)
			})
		}
	}
	play(t, "P10 nobody is registered", func(s *venue) {
		bob := s.agent("bob", at(0), func(o *AgentOptions) { o.Domain = bed.Domain })
		ask(bob, "SUBSCRIBE", Line("Event: reg"))
		bob.Expect(489)
	})
	play(t, "P10 another phone does not know the method, a third does", func(s *venue) {
		bob := phone(s, udp, at(0), ";methods=\"INVITE, SUBSCRIBE\"")
		deaf := phone(s, tcp, at(1), ";methods=\"INVITE, ACK, BYE\"")
		ask(bob, "SUBSCRIBE", Line("Event: presence"))
		bob.Expect(489)
		third := phone(s, tls, at(2), ";methods=\"INVITE,SUBSCRIBE,PUBLISH\"")
		ask(bob, "SUBSCRIBE", Line("Event: presence"))
		third.Reply(third.Expect("SUBSCRIBE"), 200)
		bob.Expect(200)
		ask(bob, "PUBLISH", Line("Event: presence"))
		third.Reply(third.Expect("PUBLISH"), 200)
		bob.Expect(200)
		silent(time.Minute, bob, deaf)
	})
	play(t, "P10 another phone that says nothing of methods", func(s *venue) {
		bob, other := phone(s, udp, at(0), ""), phone(s, udp, at(1), "")
		ask(bob, "SUBSCRIBE", Line("Event: dialog"))
		other.Reply(other.Expect("SUBSCRIBE"), 489)
		bob.Expect(489)
		silent(time.Minute, bob)
	})
	play(t, "P10 the same phone over another connection", func(s *venue) {
		bob := phone(s, tcp, at(0), "")
		bob.Hang()
		time.Sleep(time.Second)
		ask(bob, "SUBSCRIBE", Line("Event: message-summary"), Contact("<"+bob.ContactURI(tcp)+">"))
		bob.Expect(489)
	})
	play(t, "P10 a MESSAGE reaches the other phones", func(s *venue) {
		bob, other := phone(s, udp, at(0), ""), phone(s, tcp, at(1), "")
		ask(bob, "MESSAGE")
		other.Reply(other.Expect("MESSAGE"), 200)
		bob.Expect(200)
		silent(time.Minute, bob)
	})
	play(t, "P10 where a domain redirects", func(s *venue) {
		bob := phone(s, udp, at(0), "")
		first := bob.Request("SUBSCRIBE", bobAOR, Line("Event: reg"))
		first.Retry(bob.Credentials(bob.Expect(401)))
		bob.Expect(489)
		phone(s, tcp, at(1), "")
		first = bob.Request("SUBSCRIBE", bobAOR, Line("Event: reg"))
		first.Retry(bob.Credentials(bob.Expect(401)))
		if list := bob.Expect(302).List("Contact"); len(list) != 1 {
			s.t.Errorf("contacts: %v", list)
		}
	}, redirecting)
	play(t, "P10 others still reach the user", func(s *venue) {
		bob := phone(s, udp, at(0), "")
		for _, method := range []string{"SUBSCRIBE", "PUBLISH", "NOTIFY", "MESSAGE"} {
			s.alice.Request(method, bobAOR, Line("Event: presence"))
			bob.Reply(bob.Expect(method), 200)
			s.alice.Expect(200)
		}
	})
}
