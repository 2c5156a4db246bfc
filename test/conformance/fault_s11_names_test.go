package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/siptest"
	"biloxi/test/bed"
)

func TestFaultS11Names(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	for _, method := range []string{"INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "INFO", "NEWMETHOD"} {
		t.Run("S11 listing names by "+method+" is throttled", underSiege(func(s *siege) {
			p := s.at(enemy, "x")
			atMost(s.t, 30, looked(300, 404, func(i int) int { return ask(p, method, fmt.Sprint("nobody", i)) }))
			// What tells nothing of nobody tells nothing of others.
			if st := ask(p, method, "bob"); st != 403 {
				s.t.Errorf("asked for a user who exists: %d", st)
			}
			if st := ask(s.at("203.0.113.9:5060", "x"), method, "bob"); st != 480 {
				s.t.Errorf("a stranger from elsewhere gets %d", st)
			}
		}))
	}
	t.Run("S11 listing names goes on below one a second", underSiege(func(s *siege) {
		p := s.at(enemy, "x")
		looked(25, 404, func(i int) int { return ask(p, "OPTIONS", fmt.Sprint("nobody", i)) })
		n := looked(60, 404, func(i int) int { time.Sleep(time.Second); return ask(p, "OPTIONS", fmt.Sprint("nobody", i)) })
		if n == 0 || n >= 60 {
			s.t.Errorf("%d of 60 in a minute", n)
		}
	}))
	t.Run("S11 listing names by REGISTER for others is throttled", underSiege(func(s *siege) {
		p := s.at(enemy, "u5")
		s.nonce(p)
		if st := right(p, "u5"); st != 200 {
			s.t.Fatal(st)
		}
		atMost(s.t, 30, looked(200, 404, func(i int) int {
			return status(p, p.Credentials(siptest.Credentials{}), siptest.To(fmt.Sprintf("<sip:nobody%d@%s>", i, bed.Domain)))
		}))
		if st := right(p, "u5"); st != 200 {
			s.t.Errorf("their own registration gets %d", st)
		}
	}))
	t.Run("S11 listing names of a domain that redirects is throttled", underSiege(func(s *siege) {
		p := s.at(enemy, "x")
		atMost(s.t, 30, looked(200, 404, func(i int) int { return ask(p, "INVITE", fmt.Sprint("nobody", i)) }))
	}, func(c *config.Config) { c.Domains[0].Mode = config.ModeRedirect }))
	t.Run("S11 users who authenticate are not throttled for wrong numbers", underSiege(func(s *siege) {
		p := s.at("203.0.113.5:5060", "u5")
		s.nonce(p)
		p.Password = bed.Password("u5")
		n := looked(100, 404, func(i int) int {
			uri := fmt.Sprintf("sip:nobody%d@%s", i, bed.Domain)
			return status(p, siptest.Method("OPTIONS"), siptest.URI(uri), siptest.To("<"+uri+">"), siptest.CallID(siptest.Token()),
				siptest.Line("Proxy-Authorization: "+p.Authorization("OPTIONS", uri)))
		})
		if n != 100 {
			s.t.Errorf("%d of 100 are answered", n)
		}
	}))
	t.Run("S11 trusted peers are not counted", underSiege(func(s *siege) {
		p := s.at(enemy, "x")
		s.nonce(p)
		if n := looked(100, 404, func(i int) int { return ask(p, "OPTIONS", fmt.Sprint("nobody", i)) }); n != 100 {
			s.t.Errorf("%d of 100 names are answered", n)
		}
		if n := looked(100, 401, func(i int) int { return guess(p, "bob") }); n != 100 {
			s.t.Errorf("%d of 100 guesses are answered", n)
		}
	}, func(c *config.Config) { c.Proxy.Trusted = prefixesOf("198.51.100.0/24") }))
}

func TestFaultS11Hidden(t *testing.T) {
	hidden := func(c *config.Config) { c.Defence.HideUsers = true }
	for _, method := range []string{"INVITE", "OPTIONS", "MESSAGE"} {
		for _, mode := range []config.DomainMode{config.ModeProxy, config.ModeRedirect} {
			t.Run(fmt.Sprintf("S11 with hide_users %s tells no user from nobody, mode %s", method, mode), underSiege(func(s *siege) {
				answer := func(user string) string {
					p := s.at(fmt.Sprintf("198.51.100.7:%d", 5000+len(user)), "x")
					uri := "sip:" + user + "@" + bed.Domain
					p.Start(siptest.Method(method), siptest.URI(uri), siptest.To("<"+uri+">"), siptest.CallID("the-same"), siptest.Branch("z9hG4bK1"+user),
						siptest.From("<sip:x@elsewhere.example.net>;tag=1"))
					b, err := p.Conn.Receive(soon)
					if err != nil {
						s.t.Fatal(err)
					}
					text := strings.ReplaceAll(strings.ReplaceAll(string(b), user, "USER"), fmt.Sprint(5000+len(user)), "PORT")
					if i := strings.Index(text, "To:"); i >= 0 { // its tag is made of the request
						end := i + strings.Index(text[i:], "\r\n")
						if j := strings.Index(text[i:end], ";tag="); j >= 0 {
							text = text[:i+j] + text[end:]
						}
					}
					return text
				}
				if user, nobody := answer("bob"), answer("nobody"); user != nobody || !strings.HasPrefix(user, "SIP/2.0 480 ") {
					s.t.Errorf("a user gets\n%s\nnobody gets\n%s", user, nobody)
				}
			}, hidden, func(c *config.Config) { c.Domains[0].Mode = mode }))
		}
	}
	t.Run("S11 with hide_users throttling tells nothing either", underSiege(func(s *siege) {
		for i, user := range []string{"bob", "nobody"} {
			p := s.at(fmt.Sprintf("198.51.100.%d:5060", 7+i), "x")
			if n := looked(100, 480, func(int) int { return ask(p, "OPTIONS", user) }); n < 20 || n > 22 {
				s.t.Errorf("%s is told %d times", user, n)
			}
		}
	}, hidden))
	t.Run("S11 without hide_users a wrong number is 404", underSiege(func(s *siege) {
		if st := ask(s.at("203.0.113.9:5060", "x"), "INVITE", "nobody"); st != 404 {
			s.t.Error(st)
		}
	}))
	t.Run("S11 with hide_users a user of ours still learns of a wrong number", underSiege(func(s *siege) {
		p := s.home("203.0.113.5:5060")
		p.User, p.Password = "u5", bed.Password("u5")
		uri := "sip:nobody@" + bed.Domain
		if st := status(p, siptest.Method("OPTIONS"), siptest.URI(uri), siptest.To("<"+uri+">"),
			siptest.Line("Proxy-Authorization: "+p.Authorization("OPTIONS", uri))); st != 404 {
			s.t.Error(st)
		}
	}, hidden))
}
