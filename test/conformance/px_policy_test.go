package conformance

import (
	"slices"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestPolicy: what goes where, and for whom (RFC 3261 §16.3 step 6, §26).
func TestPolicy(t *testing.T) {
	t.Run("PX-087", onStage(func(s *stage) {
		bob, other := s.phone(), s.agent("carol", "192.0.2.210")
		s.Bind(s.t, "alice", "<"+other.ContactURI(udp)+">") // whoever looked alice up would come there
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200, Contact("<sip:alice@192.0.2.201;ob;x=%41>"))
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK").WantURI("sip:alice@192.0.2.201;ob;x=%41").Lacks("Route")
		info := call.Request("INFO")
		bob.Reply(bob.Expect("INFO").WantURI("sip:alice@192.0.2.201;ob;x=%41").Lacks("Route", "Record-Route"), 200)
		s.alice.Expect(200)
		if u := string(info.RequestURI()); u != "sip:alice@192.0.2.201;ob;x=%41" {
			s.t.Fatalf("asked for %s", u)
		}
		bye := bob.Answered(offer).Bye()
		s.alice.Reply(s.alice.Expect("BYE").WantURI(string(bye.RequestURI())), 200)
		bob.Expect(200)
		silent(time.Minute, other)
		for _, q := range s.dns.Asked() {
			s.t.Errorf("DNS is asked for %s", q)
		}
	}))
	t.Run("PX-088", onStage(func(s *stage) {
		carol := s.agent("carol", "192.0.2.210")
		s.dns.Add(s.t, "chicago.example.com. A 192.0.2.210")
		for _, uri := range []string{"sip:carol@chicago.example.com", carol.ContactURI(udp), carol.ContactURI(tcp), "sips:carol@chicago.example.com",
			"sip:bob@" + bed.Domain + ":5999", "sip:carol@192.0.2.210;maddr=192.0.2.222"} {
			for _, method := range []string{"INVITE", "MESSAGE", "OPTIONS", "BYE"} {
				request := s.alice.Request(method, uri)
				r := deniedTo(s.alice)
				if method == "INVITE" {
					request.Ack(r)
				}
			}
			// Nor for one who says that he is a user of ours, or nobody.
			for _, from := range []string{"<sip:bob@" + bed.Domain + ">", "<sip:anonymous@anonymous.invalid>", "<sip:bob@127.0.0.1>"} {
				s.alice.Request("MESSAGE", uri, From(from+";tag=1"))
				deniedTo(s.alice)
			}
			s.alice.Request("ACK", uri)
			s.alice.Request("CANCEL", uri)
			s.alice.Drain()
		}
		silent(time.Minute, carol)
		// Who shows that he is a user of ours may.
		alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
		invite := alice.Invite("sip:carol@chicago.example.com")
		challenge := alice.Expect(407)
		invite.Ack(challenge)
		invite.Retry(alice.Credentials(challenge))
		refuse(carol.Expect("INVITE"), 486)
		alice.Expect(486)
	}))
	t.Run("PX-091", onStage(func(s *stage) {
		third, bob := s.agent("third", "192.0.2.210"), s.phone()
		for _, routes := range [][]string{
			{"<sip:192.0.2.222;lr>", "<sip:192.0.2.210;lr>"}, {"<sip:192.0.2.210;lr>"}, {"<sip:" + bed.Domain + ";lr>", "<sip:192.0.2.210>"},
			{"<sip:192.0.2.222>", "<sip:192.0.2.210;lr>"}, {"<sip:made-up@192.0.2.222;lr>", "<sip:192.0.2.210;lr>"},
			{"<sip:192.0.2.222;d=AAAAAAAAAAAAAAAA;lr>", "<sip:192.0.2.210;lr>"},
		} {
			for _, uri := range []string{bobAOR, "sip:carol@chicago.example.com"} {
				for _, tag := range []string{"", ";tag=made-up"} { // as if in a dialog
					invite := s.alice.Invite(uri, Route(routes...), To("<"+uri+">"+tag))
					invite.Ack(deniedTo(s.alice))
					s.alice.Request("ACK", uri, Route(routes...), To("<"+uri+">"+tag))
				}
			}
		}
		silent(time.Minute, third, bob)
		// The route of a true dialog is good for that one only.
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK")
		own := slices.Clone(call.Routes)
		s.alice.Request("MESSAGE", "sip:carol@192.0.2.210", Route(own...))
		deniedTo(s.alice)
		silent(time.Minute, third)
	}))
}

// deniedTo takes the 403 or 407 that an agent's request gets.
func deniedTo(a *Agent) *Received {
	a.T.Helper()
	r := a.Next(time.Second)
	for r != nil && r.Status() == 100 {
		r = a.Next(time.Second)
	}
	if r == nil {
		a.T.Fatal("no answer")
	}
	if s := r.Status(); s != 403 && s != 407 && s != 430 {
		r.Fatalf("not 403 or 407")
	}
	return r
}
