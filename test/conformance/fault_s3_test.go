package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/proxy"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// forwarded is how many requests the server has sent, of those that a wiretap heard, and fails the test if one went to
// the server itself.
func (s *venue) forwarded(tap *Wiretap) (n int) {
	s.t.Helper()
	for _, m := range tap.Messages() {
		if m.From.Addr() != s.Addr(udp).Addr() || !m.IsRequest() {
			continue
		}
		if n++; m.To.Addr() == m.From.Addr() {
			s.t.Errorf("to itself: %v", m)
		}
	}
	return n
}

// many are contacts of one URI that differ in a parameter.
func many(n int, uri, after string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("<%s;x=%d>%s", uri, i, after))
	}
	return list
}

// final is the final response to a request that a caller sends.
func (s *venue) final(method, uri string, edits ...Edit) int {
	s.t.Helper()
	sent := s.alice.Request(method, uri, edits...)
	for {
		r := s.alice.Next(time.Minute)
		if r == nil {
			s.t.Fatalf("no answer to %s %s", method, uri)
		}
		if r.Status() < 200 {
			continue
		}
		if method == "INVITE" {
			sent.Ack(r)
		}
		return r.Status()
	}
}

// TestFaultS3: a request that comes back, or would, is bounded.
func TestFaultS3(t *testing.T) {
	// The user's own address-of-record, however it is written.
	for _, own := range []string{bobAOR, bobAOR + ":5060", bobAOR + ";transport=tcp", "sip:%62ob@" + strings.ToUpper(bed.Domain), "sip:bob@" + bed.Host,
		bobAOR + ".", bobAOR + ";maddr=192.0.2.222", "sip:bob:secret@" + bed.Domain, "sip:bob@192.0.2.222", "sip:nobody@" + bed.Domain,
		"sip:carol@chicago.example.com;maddr=192.0.2.222"} {
		for _, method := range []string{"MESSAGE", "INVITE"} {
			play(t, "S3 ten contacts that lead back are no branch: "+method+" "+own, func(s *venue) {
				s.Bind(s.t, "bob", many(10, own, "")...)
				tap := s.net.Wiretap()
				if status := s.final(method, bobAOR); status != 482 && status != 404 {
					s.t.Errorf("answered %d", status)
				}
				time.Sleep(time.Minute)
				if n := s.forwarded(tap); n > 0 {
					s.t.Errorf("%d requests sent", n)
				}
			}, func(c *config.Config) { c.Domains[0].Aliases = append(c.Domains[0].Aliases, "192.0.2.222") })
		}
	}
	play(t, "S3 the phone beside them is called once", func(s *venue) {
		bob := s.agent("bob", at(0))
		s.Bind(s.t, "bob", append(many(9, bobAOR, ";q=0.5"), "<"+bob.ContactURI(udp)+">;q=0.1")...)
		tap := s.net.Wiretap()
		s.alice.Request("MESSAGE", bobAOR)
		bob.Reply(bob.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		silent(time.Minute, bob)
		if n := s.forwarded(tap); n != 1 {
			s.t.Errorf("%d requests sent", n)
		}
	})
	play(t, "S3 users who forward to each other", func(s *venue) {
		u2 := s.agent("u2", at(0))
		for i, user := range []string{"bob", "u0", "u1"} {
			next := "sip:" + []string{"u0", "u1", "bob"}[i] + "@" + bed.Domain
			s.Bind(s.t, user, append(many(8, next, fmt.Sprintf(";q=0.%d", i+1)), "<sip:u2@"+bed.Domain+">;q=0.1")...)
		}
		tap := s.net.Wiretap()
		if status := s.final("MESSAGE", bobAOR); status != 480 {
			s.t.Errorf("answered %d", status)
		}
		s.Bind(s.t, "u2", "<"+u2.ContactURI(udp)+">")
		s.alice.Request("MESSAGE", bobAOR)
		u2.Reply(u2.Expect("MESSAGE"), 486)
		s.alice.Expect(486)
		silent(time.Minute, u2)
		if n := s.forwarded(tap); n != 1 {
			s.t.Errorf("%d requests sent", n)
		}
	})
	play(t, "S3 many users who forward to many", func(s *venue) {
		var users []string
		for i := range 24 {
			users = append(users, fmt.Sprint("<sip:u", i, "@"+bed.Domain+">"))
		}
		for i := range users {
			var next []string
			for j := range 10 {
				next = append(next, users[(i*7+j)%len(users)])
			}
			s.Bind(s.t, fmt.Sprint("u", i), next...)
		}
		s.Bind(s.t, "bob", users[:10]...)
		tap := s.net.Wiretap()
		if status := s.final("MESSAGE", bobAOR); status != 482 {
			s.t.Errorf("answered %d", status)
		}
		if n := s.forwarded(tap); n > 0 {
			s.t.Errorf("%d requests sent", n)
		}
	})
	play(t, "S3 what another element sends back with a parameter is a loop", func(s *venue) {
		x := s.agent("x", at(0))
		s.Bind(s.t, "bob", "<"+x.ContactURI(udp)+">")
		s.alice.Request("MESSAGE", bobAOR)
		offer := x.Expect("MESSAGE")
		back(offer, bobAOR+";x=1")
		x.Expect("482 MESSAGE")
		back(offer, "sip:bob@"+bed.Host+":5060;transport=udp")
		x.Expect("482 MESSAGE")
	})
	play(t, "S3 by way of another element, from user to user", func(s *venue) {
		x := s.agent("x", at(0))
		for i := range 6 {
			s.Bind(s.t, fmt.Sprint("u", i), fmt.Sprintf("<sip:a%d@%s>;q=0.3", i, at(0)), fmt.Sprintf("<sip:b%d@%s>;q=0.3", i, at(0)))
		}
		tap := s.net.Wiretap()
		s.alice.Request("MESSAGE", "sip:u0@"+bed.Domain)
		seen := map[string]bool{}
		for r := x.Next(time.Second); r != nil; r = x.Next(time.Second) {
			if r.Is("MESSAGE") && !seen[r.Branch()] {
				seen[r.Branch()] = true
				back(r, fmt.Sprintf("sip:u%d@%s", len(seen)%6, bed.Domain))
			}
		}
		// Two contacts each: six users in any order would make 2^6 branches at the end of each way.
		if len(seen) < 6 || len(seen) > proxy.MaxBranches {
			s.t.Errorf("%d branches", len(seen))
		}
		s.forwarded(tap)
	})
	play(t, "S3 contacts of a 3xx", func(s *venue) {
		bob := s.phone()
		tap := s.net.Wiretap()
		s.alice.Request("MESSAGE", bobAOR)
		bob.Reply(bob.Expect("MESSAGE"), 302, Contact(many(10, bobAOR, "")...))
		s.alice.Expect(480)
		silent(time.Minute, bob)
		if n := s.forwarded(tap); n != 1 {
			s.t.Errorf("%d requests sent", n)
		}
	}, recursing)
	play(t, "S3 a name that DNS leads here", func(s *venue) {
		s.dns.Add(s.t, "other.example.net. A 192.0.2.222")
		s.Bind(s.t, "bob", many(10, "sip:bob@other.example.net", "")...)
		tap := s.net.Wiretap()
		if status := s.final("MESSAGE", bobAOR); status != 482 {
			s.t.Errorf("answered %d", status)
		}
		if n := s.forwarded(tap); n > 0 {
			s.t.Errorf("%d requests sent", n)
		}
	})
	play(t, "S3 a route that leads here", func(s *venue) {
		s.Bind(s.t, "bob", "<sip:+1@"+bed.Domain+">")
		tap := s.net.Wiretap()
		for _, method := range []string{"MESSAGE", "INVITE"} {
			if status := s.final(method, bobAOR); status != 482 {
				s.t.Errorf("answered %d", status)
			}
		}
		if n := s.forwarded(tap); n > 0 {
			s.t.Errorf("%d requests sent", n)
		}
	}, func(c *config.Config) {
		c.Routes = []config.Route{{Name: "self", User: "+", Hops: []string{"sip:192.0.2.222;lr"}}}
	})
	play(t, "S3 a Path that leads here", func(s *venue) {
		bob := s.agent("bob", at(0), func(o *AgentOptions) { o.Domain = bed.Domain })
		first := bob.Request("REGISTER", "sip:"+bed.Domain, To("<"+bobAOR+">"), Contact("<"+bob.ContactURI(udp)+">", "<"+bobAOR+">"),
			Line("Supported: path", "Path: <sip:192.0.2.222;lr>, <sip:"+bed.Domain+";lr>"))
		first.Retry(bob.Credentials(bob.Expect(401)))
		bob.Expect(200)
		tap := s.net.Wiretap()
		s.alice.Request("MESSAGE", bobAOR)
		bob.Reply(bob.Expect("MESSAGE").Lacks("Route"), 200)
		s.alice.Expect(200)
		if n := s.forwarded(tap); n != 1 {
			s.t.Errorf("%d requests sent", n)
		}
	})
}

// recursing has the server follow 3xx.
func recursing(c *config.Config) { c.Proxy.Recurse = true }
