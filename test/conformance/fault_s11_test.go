package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/defence"
	"biloxi/siptest"
	"biloxi/test/bed"
)

func TestFaultS11Guessing(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	t.Run("S11 a source that guesses one user's password is throttled, and below one a second", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		atMost(s.t, 30, looked(1000, 401, func(int) int { return guess(p, "bob") }))
		n := looked(600, 401, func(int) int { time.Sleep(90 * time.Millisecond); return guess(p, "bob") })
		if n >= 60 {
			s.t.Errorf("%d guesses were looked at in a minute", n)
		}
	}))
	t.Run("S11 a source that rotates users is throttled", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		atMost(s.t, 30, looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }))
		if st := guess(p, "u1"); st != 403 {
			s.t.Errorf("who goes on gets %d", st)
		}
	}))
	t.Run("S11 names of nobody are guesses too", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		atMost(s.t, 30, looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("nobody", i)) }))
	}))
	t.Run("S11 rotating through an IPv6 /56 is one source", underSiege(func(s *siege) {
		first := s.at("[2001:db8:7:0::1]:5060", "bob")
		s.nonce(first)
		atMost(s.t, 30, looked(256, 401, func(i int) int {
			p := s.at(fmt.Sprintf("[2001:db8:7:%x::1]:5070", i), "bob")
			p.Answer(first.Challenge())
			return guess(p, fmt.Sprint("u", i%100))
		}))
	}))
	t.Run("S11 REGISTER, INVITE, MESSAGE, OPTIONS over UDP and TCP are one count", underSiege(func(s *siege) {
		u, c := s.at(enemy, "bob"), s.over("198.51.100.7:5080", "bob")
		s.nonce(u, c)
		methods := []string{"REGISTER", "INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "PUBLISH"}
		n := 0
		for i := range 300 {
			p, m := []*siptest.Phone{u, c}[i/6%2], methods[i%6]
			p.Password, p.User = "wrong", "bob"
			var st int
			if m == "REGISTER" {
				st = status(p, p.Credentials(siptest.Credentials{Password: "wrong"}))
			} else {
				uri := "sip:alice@" + bed.Domain
				st = status(p, siptest.Method(m), siptest.URI(uri), siptest.To("<"+uri+">"), siptest.CallID(siptest.Token()),
					siptest.Line("Proxy-Authorization: "+p.Authorization(m, uri)))
			}
			if st == 401 || st == 407 {
				n++
			}
		}
		atMost(s.t, 30, n)
	}))
	t.Run("S11 a redirect server's 401 counts too", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		uri := "sip:alice@" + bed.Domain
		p.Password = "wrong"
		atMost(s.t, 30, looked(200, 401, func(int) int {
			return status(p, siptest.Method("INVITE"), siptest.URI(uri), siptest.To("<"+uri+">"), siptest.CallID(siptest.Token()),
				siptest.Line("Authorization: "+p.Authorization("INVITE", uri)))
		}))
	}, func(c *config.Config) { c.Domains[0].Mode = config.ModeRedirect }))
	t.Run("S11 over TCP who is delayed is asked to come later", underSiege(func(s *siege) {
		p := s.over("198.51.100.7:5080", "bob")
		s.nonce(p)
		looked(20, 401, func(int) int { return guess(p, "bob") })
		p.Start(p.Credentials(siptest.Credentials{Password: "wrong"}))
		r := p.Receive().Expect(503)
		if v := r.Values("Retry-After"); len(v) != 1 || v[0] != "2" {
			s.t.Errorf("Retry-After is %q", v)
		}
	}))
}

func TestFaultS11Tricks(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	t.Run("S11 good logins of an own account wash nothing clean", underSiege(func(s *siege) {
		p := s.at(enemy, "u5")
		s.nonce(p)
		n := 0
		for i := range 200 {
			if right(p, "u5") != 200 {
				s.t.Fatal("the own account does not register")
			}
			if guess(p, fmt.Sprint("u", 10+i%100)) == 401 {
				n++
			}
		}
		atMost(s.t, 30, n)
	}))
	t.Run("S11 a guess with a stale or foreign nonce is a guess", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		atMost(s.t, 30, looked(200, 401, func(i int) int {
			return status(p, p.Credentials(siptest.Credentials{Password: "wrong", Nonce: fmt.Sprintf("%048x", i)}))
		}))
	}))
	t.Run("S11 variants of a name are guesses of one source, and the form with the domain is the same user", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		forms := []string{"bob", `b\ob`, `\b\o\b`, "bob@" + bed.Domain, "bob@" + strings.ToUpper(bed.Domain), "bob@" + bed.Host}
		atMost(s.t, 12, looked(300, 401, func(i int) int {
			return status(p, p.Credentials(siptest.Credentials{Username: forms[i%len(forms)], Password: "wrong"}))
		}))
		for _, e := range s.Server.Defence().List(100) {
			if e.Kind == defence.User && e.User != "bob@"+bed.Domain {
				s.t.Errorf("%q is another user", e.User)
			}
		}
	}))
	t.Run("S11 variants in case are guesses", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		forms := []string{"Bob", "bOb", "boB", "BOb", "BOB", "b%6fb", "bob ", " bob"}
		atMost(s.t, 30, looked(300, 401, func(i int) int { return guess(p, forms[i%len(forms)]) }))
	}))
	t.Run("S11 new ports, Call-IDs and branches are the same source", underSiege(func(s *siege) {
		first := s.at(enemy, "bob")
		s.nonce(first)
		atMost(s.t, 30, looked(200, 401, func(i int) int {
			p := s.at(fmt.Sprintf("198.51.100.7:%d", 7000+i), "bob")
			p.Answer(first.Challenge())
			return guess(p, "bob")
		}))
	}))
	t.Run("S11 what is stale, and what brings no credentials, is not wrong", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		for range 50 {
			if st := status(p, siptest.CallID(siptest.Token())); st != 401 {
				s.t.Fatalf("a request without credentials gets %d", st)
			}
		}
		s.nonce(p)
		for range 50 {
			if st := status(p, p.Credentials(siptest.Credentials{Nonce: strings.Repeat("0", 48)})); st != 401 {
				s.t.Fatalf("a right password with an old nonce gets %d", st)
			}
		}
		if st := right(p, "bob"); st != 200 {
			s.t.Errorf("then the right password gets %d", st)
		}
		if c := s.Server.Status().Defence; c.Guesses != 0 || c.Records != 0 {
			s.t.Errorf("counted: %+v", c)
		}
	}))
}

func TestFaultS11Users(t *testing.T) {
	t.Run("S11 the true user registers from another address at once, whoever guesses", underSiege(func(s *siege) {
		first := s.at("198.51.100.1:5060", "bob")
		s.nonce(first)
		for i := range 1000 {
			p := s.at(fmt.Sprintf("10.0.%d.%d:5060", i>>8, i&255), "bob")
			p.Answer(first.Challenge())
			guess(p, "bob")
			p.Conn.Close()
		}
		if st := right(s.home("203.0.113.9:5060"), "bob"); st != 200 {
			s.t.Errorf("bob at home gets %d", st)
		}
		if n := s.log.count("action=attacked"); n != 1 {
			s.t.Errorf("that bob is attacked is logged %d times", n)
		}
	}))
	t.Run("S11 who is refused himself registers from another address", underSiege(func(s *siege) {
		p := s.at("198.51.100.7:5060", "bob")
		s.nonce(p)
		looked(300, 401, func(int) int { return guess(p, "bob") })
		if st := right(p, "bob"); st != 403 {
			s.t.Errorf("from the refused address: %d", st)
		}
		if st := right(s.home("203.0.113.9:5060"), "bob"); st != 200 {
			s.t.Errorf("from another: %d", st)
		}
	}))
	t.Run("S11 a phone with an old password does not lock out its office", underSiege(func(s *siege) {
		old := s.at("203.0.113.5:4000", "u99")
		s.nonce(old)
		looked(400, 401, func(int) int { return guess(old, "u99") })
		for i := range 30 {
			if st := right(s.home(fmt.Sprintf("203.0.113.5:%d", 5000+i)), fmt.Sprint("u", i)); st != 200 {
				s.t.Fatalf("phone %d of the office gets %d", i, st)
			}
		}
	}))
	t.Run("S11 the phones of an office go on while somebody there guesses", underSiege(func(s *siege) {
		var phones []*siptest.Phone
		for i := range 30 {
			phones = append(phones, s.home(fmt.Sprintf("203.0.113.5:%d", 5000+i)))
			if st := right(phones[i], fmt.Sprint("u", i)); st != 200 {
				s.t.Fatal(st)
			}
		}
		p := s.at("203.0.113.5:4000", "u99")
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", 40+i%100)) })
		if st := guess(p, "u50"); st != 403 {
			s.t.Errorf("who guesses gets %d", st)
		}
		for i, phone := range phones {
			if st := right(phone, fmt.Sprint("u", i)); st != 200 {
				s.t.Fatalf("the refresh of phone %d gets %d", i, st)
			}
			if st := right(s.home(fmt.Sprintf("203.0.113.5:%d", 6000+i)), fmt.Sprint("u", i)); st != 200 {
				s.t.Fatalf("phone %d by another port gets %d", i, st)
			}
		}
		// And then they try those who are registered there.
		atMost(s.t, 12, looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%30)) }))
		for i, phone := range phones {
			if st := right(phone, fmt.Sprint("u", i)); st != 200 {
				s.t.Fatalf("then the refresh of phone %d gets %d", i, st)
			}
		}
	}))
	t.Run("S11 a source is let in again when its time is over", underSiege(func(s *siege) {
		p := s.at("198.51.100.7:5060", "bob")
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		if st := right(p, "u150"); st != 403 {
			s.t.Errorf("meanwhile: %d", st)
		}
		if st := status(p, siptest.CallID(siptest.Token())); st != 403 {
			s.t.Errorf("meanwhile, without credentials: %d", st)
		}
		time.Sleep(10*time.Minute + 10*time.Second)
		if st := right(p, "u150"); st != 200 {
			s.t.Errorf("then: %d", st)
		}
		for action, want := range map[string]int{"throttled": 1, "refused": 1, "admitted": 1} {
			if n := s.log.count("msg=defence action=" + action + " address=198.51.100.7 source=198.51.100.7/32"); n != want {
				s.t.Errorf("%s is logged %d times in\n%s", action, n, s.log.text.String())
			}
		}
	}))
	t.Run("S11 who is refused may get silence", underSiege(func(s *siege) {
		p := s.at("198.51.100.7:5060", "bob")
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		if st := right(p, "u150"); st != 0 {
			s.t.Errorf("%d", st)
		}
	}, func(c *config.Config) { c.Defence.Answer = config.DefenceSilent }))
}
