package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
)

// redirecting has the server answer for its users with where they are (RFC 3261 §8.3).
func redirecting(c *config.Config) { c.Domains[0].Mode = config.ModeRedirect }

// redirects is a play whose server redirects. Nothing leaves it but responses.
func redirects(t *testing.T, rows string, script func(s *venue)) {
	t.Helper()
	play(t, rows, func(s *venue) {
		tap := s.net.Wiretap()
		script(s)
		time.Sleep(time.Minute)
		for _, m := range tap.Messages() {
			if m.From.Addr() == s.Addr(udp).Addr() && m.IsRequest() {
				s.t.Errorf("the server sends a request: %v", m)
			}
		}
	}, redirecting)
}

// TestRedirect: a server that redirects (RFC 3261 §8.3).
func TestRedirect(t *testing.T) {
	const one, two = "sip:one@192.0.2.201", "sip:two@192.0.2.202"

	redirects(t, "RD-001/RD-002/RD-003", func(s *venue) {
		// Somebody is there, and hears nothing.
		bob := s.agent("bob", at(0))
		s.Bind(s.t, "bob", "<"+one+">;q=0.5;expires=100", "<"+two+">;expires=200")
		time.Sleep(40 * time.Second)
		invite := s.alice.Invite(bobAOR)
		moved := s.alice.Expect(302).WantList("Contact", "<"+two+">;expires=160", "<"+one+">;q=0.5;expires=60").Lacks("Record-Route")
		invite.Ack(moved)
		for _, method := range []string{"OPTIONS", "MESSAGE", "SUBSCRIBE", "BYE"} {
			s.alice.Request(method, bobAOR)
			s.alice.Expect("302 "+method).Carries("Contact", two)
		}
		silent(time.Minute, s.alice, bob)
	})
	redirects(t, "RD-004", func(s *venue) {
		s.Bind(s.t, "bob", "<"+bobAOR+">", "<"+one+">", "<"+bobAOR+";transport=tcp>")
		invite := s.alice.Invite(bobAOR)
		moved := s.alice.Expect(302)
		if list := moved.List("Contact"); len(list) != 2 {
			moved.Fatalf("%d contacts", len(list))
		}
		moved.Carries("Contact", "<"+one+">").Carries("Contact", "<"+bobAOR+";transport=tcp>")
		invite.Ack(moved)
		s.Bind(s.t, "alice", "<sip:alice@BILOXI.example.com>")
		invite = s.alice.Invite("sip:%61lice@biloxi.example.com")
		invite.Ack(s.alice.Expect(404).Lacks("Contact"))
	})
	redirects(t, "RD-005", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		invite := s.alice.Invite(bobAOR)
		moved := s.alice.Expect(302)
		invite.Cancel() // too late: it changes nothing
		if confirmed := s.alice.Expect("200 CANCEL"); confirmed.ToTag() != moved.ToTag() {
			confirmed.Fatalf("another To tag than that of the 302")
		}
		invite.Ack(moved)
		silent(time.Minute, s.alice)
	})
	redirects(t, "RD-006", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		for _, method := range []string{"INVITE", "FOO", "foo.Bar!", "SUBSCRIBE", "PRACK"} {
			request := s.alice.Request(method, bobAOR, Line("Require: foo, 100rel", "X-Unknown: \x80\xff;;=", "Accept-Contact: *;foo;require"),
				Body("application/x-unknown", "\x00\x01"))
			moved := s.alice.Expect("302 "+method).Carries("Contact", one).Lacks("Unsupported")
			if method == "INVITE" {
				request.Ack(moved)
			}
		}
	})
	redirects(t, "RD-007", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		invite := s.alice.Invite(bobAOR)
		wantTimes(t, copies(s.alice, "302", 10*time.Minute), timerE...)
		invite.Again() // Timer H is over: a new one
		moved := s.alice.Expect(302)
		copyOf(s.alice.Expect(302), moved)
		invite.Ack(moved)
		silent(4*time.Second, s.alice)
		invite.Ack(moved)
		invite.Again()
		silent(time.Minute, s.alice)
		// Another request is answered once, and its retransmission the same.
		message := s.alice.Request("MESSAGE", bobAOR)
		moved = s.alice.Expect(302)
		time.Sleep(20 * time.Second)
		message.Again()
		copyOf(s.alice.Expect(302), moved)
		silent(time.Minute, s.alice)
	})
	redirects(t, "RD-008", func(s *venue) {
		s.Bind(s.t, "bob", "<mailto:bob@example.com>;q=0.1", "<tel:+13035551212>;q=0.2", "<"+one+">")
		invite := s.alice.Invite(bobAOR)
		moved := s.alice.Expect(302)
		for _, uri := range []string{one, "tel:+13035551212", "mailto:bob@example.com"} {
			moved.Carries("Contact", "<"+uri+">")
		}
		invite.Ack(moved)
	})
	redirects(t, "RD-009", func(s *venue) {
		for user, status := range map[string]int{"nobody": 404, "bob": 480} {
			invite := s.alice.Invite("sip:" + user + "@biloxi.example.com")
			invite.Ack(s.alice.Expect(status).Lacks("Contact"))
		}
		// A binding that is over is none.
		s.Bind(s.t, "bob", "<"+one+">;expires=60")
		time.Sleep(61 * time.Second)
		invite := s.alice.Invite(bobAOR)
		invite.Ack(s.alice.Expect(480))
		silent(time.Minute, s.alice)
	})
	redirects(t, "RD-010", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		invite := s.alice.Invite(bobAOR, Via("SIP/2.0/UDP client.atlanta.example.org:5060;branch=z9hG4bKx;foo=bar"),
			Line("Via: SIP/2.0/TCP far.example.org;branch=z9hG4bKy", "Timestamp: 54"))
		moved := s.alice.Expect(302).Want("Call-ID", invite.ID()).Want("CSeq", "1 INVITE").
			WantList("Via", "SIP/2.0/UDP client.atlanta.example.org:5060;branch=z9hG4bKx;foo=bar;received=192.0.2.101",
				"SIP/2.0/TCP far.example.org;branch=z9hG4bKy").Lacks("Record-Route")
		if from, _ := invite.Value(sip.HeaderFrom); moved.Header("From") != string(from) || moved.ToTag() == "" ||
			moved.Header("To") != "<"+bobAOR+">;tag="+moved.ToTag() {
			moved.Fatalf("From or To")
		}
		s.alice.Request("ACK", bobAOR, Via("SIP/2.0/UDP client.atlanta.example.org:5060;branch=z9hG4bKx"), To(moved.Header("To")),
			From(moved.Header("From")), CallID(moved.ID()), CSeq(1))
		silent(time.Minute, s.alice)
	})
	redirects(t, "RD-011", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		safe := phoneOf(s.t, s.Bed, tls, "alice")
		safe.Register(Contact("<sips:alice@192.0.2.201>")).Expect(200)
		carol := s.agent("carol", "192.0.2.102", s.through(tls))
		for _, scheme := range []string{"sip", "sips"} {
			for user, contact := range map[string]string{"bob": one, "alice": "sips:alice@192.0.2.201"} {
				invite := carol.Invite(scheme + ":" + user + "@biloxi.example.com")
				moved := carol.Expect(302).Carries("Contact", "<"+contact+">")
				if len(moved.List("Contact")) != 1 {
					moved.Fatalf("more than one contact")
				}
				invite.Ack(moved)
			}
		}
	})
	redirects(t, "RD-012", func(s *venue) {
		s.Bind(s.t, "bob", "<"+one+">")
		// Who claims to be a user of the domain shows that he is: to a user agent server, which this is.
		carol := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain, o.Password = "biloxi.example.com", "alice-secret" })
		invite := carol.Invite(bobAOR)
		asked := carol.Expect(401).Lacks("Proxy-Authenticate")
		invite.Ack(asked)
		invite = invite.Retry(carol.Credentials(asked))
		moved := carol.Expect(302).Carries("Contact", one)
		invite.Ack(moved)
		silent(time.Minute, carol)
	})
}
