package conformance

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
	"biloxi/defence"
	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/test/bed"
)

// siege is a server that is attacked, on a simulated network, with its log.
type siege struct {
	*bed.Bed
	t   *testing.T
	net *siptest.Network
	log *logged
}

// underSiege is a subtest with a server at 192.0.2.222 and 2001:db8::222.
func underSiege(script func(s *siege), changes ...func(*config.Config)) func(*testing.T) {
	return func(t *testing.T) {
		ca, data := bed.NewAuthority(t, t.TempDir()), t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			s := &siege{t: t, net: siptest.NewNetwork(), log: &logged{}}
			six := func(c *config.Config) {
				c.Listeners = append(c.Listeners, config.Listener{Transport: config.Transport(sip.UDP), Address: "[2001:db8::222]:5060"})
			}
			s.Bed = bed.Start(t, bed.Options{Network: s.net, Address: "192.0.2.222", Data: data, CA: ca, DNS: siptest.NewDNS(t, ""),
				Logger: slog.New(slog.NewTextHandler(s.log, nil)), Config: together(append([]func(*config.Config){wellKnownPorts, six}, changes...))})
			script(s)
			s.Stop()
		})
	}
}

// at is a phone of a user at an address, port and all, over UDP.
func (s *siege) at(address, user string) *siptest.Phone {
	s.t.Helper()
	c, err := s.net.ListenPacket("udp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	server := "192.0.2.222:5060"
	if netip.MustParseAddrPort(address).Addr().Is6() {
		server = "[2001:db8::222]:5060"
	}
	return siptest.NewPhone(s.t, siptest.OverPacket(c, netip.MustParseAddrPort(server)), user, bed.Domain, bed.Password(user))
}

// over is a phone of a user over TCP.
func (s *siege) over(address, user string) *siptest.Phone {
	s.t.Helper()
	c, err := s.net.Dial(s.t.Context(), "tcp", address, "192.0.2.222:5060")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	return siptest.NewPhone(s.t, siptest.OverStream(tcp, c), user, bed.Domain, bed.Password(user))
}

// soon is how long a phone of these tests waits for an answer.
const soon = 10 * time.Millisecond

// status is what a request gets, 0 if that is nothing.
func status(p *siptest.Phone, edits ...siptest.Edit) int {
	p.T.Helper()
	p.Start(edits...)
	b, err := p.Conn.Receive(soon)
	if errors.Is(err, siptest.ErrSilence) {
		return 0
	}
	var m sip.Message
	if err != nil || m.Parse(b) != nil {
		p.T.Fatalf("%v\n%s", err, b)
	}
	return m.StatusCode()
}

// nonce gives a phone a nonce, from another address than its own.
func (s *siege) nonce(phones ...*siptest.Phone) {
	s.t.Helper()
	c := s.at(fmt.Sprintf("192.0.2.99:%d", 20000+time.Now().Nanosecond()%30000+len(phones)), "alice")
	c.Challenged()
	for _, p := range phones {
		p.Answer(c.Challenge())
	}
	c.Conn.Close()
}

// guess tries a wrong password for a user by REGISTER.
func guess(p *siptest.Phone, user string) int {
	p.T.Helper()
	p.User = user
	return status(p, p.Credentials(siptest.Credentials{Password: "wrong-" + siptest.Token()}))
}

// right registers with the right password, and is what comes of it.
func right(p *siptest.Phone, user string) int {
	p.T.Helper()
	p.User, p.Password = user, bed.Password(user)
	return status(p, p.Credentials(siptest.Credentials{}), siptest.Contact("<sip:"+user+"@"+p.Conn.Local().String()+">"))
}

// looked counts the attempts of n that were looked at: those that got this status.
func looked(n, want int, attempt func(i int) int) (count int) {
	for i := range n {
		if attempt(i) == want {
			count++
		}
	}
	return count
}

// atMost fails the test if more guesses were looked at than may be.
func atMost(t *testing.T, most, got int) {
	t.Helper()
	if got > most || got == 0 {
		t.Errorf("%d guesses were looked at; at least one is, and at most %d", got, most)
	}
}

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
		// And he tries those who are registered there.
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

// home is a phone of somebody who knows the password, with a nonce of its own.
func (s *siege) home(address string) *siptest.Phone {
	p := s.at(address, "bob")
	s.nonce(p)
	return p
}

// ask asks for a user as a stranger does.
func ask(p *siptest.Phone, method, user string) int {
	uri := "sip:" + user + "@" + bed.Domain
	return status(p, siptest.Method(method), siptest.URI(uri), siptest.To("<"+uri+">"), siptest.CallID(siptest.Token()),
		siptest.From("<sip:x@elsewhere.example.net>;tag="+siptest.Token()))
}

func TestFaultS11Names(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	for _, method := range []string{"INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "INFO", "NEWMETHOD"} {
		t.Run("S11 listing names by "+method+" is throttled", underSiege(func(s *siege) {
			p := s.at(enemy, "x")
			atMost(s.t, 30, looked(300, 404, func(i int) int { return ask(p, method, fmt.Sprint("nobody", i)) }))
			// What tells nothing of nobody tells nothing of others.
			if st := ask(p, method, "bob"); st != 403 {
				s.t.Errorf("a user who exists gets him %d", st)
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
			s.t.Errorf("his own registration gets %d", st)
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

func prefixesOf(texts ...string) (list []config.Prefix) {
	for _, text := range texts {
		list = append(list, config.Prefix(netip.MustParsePrefix(text)))
	}
	return list
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

func TestFaultS11Modes(t *testing.T) {
	const enemy = "198.51.100.7:5060"
	t.Run("S11 mode watch counts and tells, and lets through", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
		if n := looked(100, 404, func(i int) int { return ask(p, "OPTIONS", fmt.Sprint("nobody", i)) }); n != 100 {
			s.t.Errorf("%d of 100 names are answered", n)
		}
		if s.log.count(`msg="defence watches" action=throttled address=198.51.100.7`) != 1 || s.log.count("msg=defence ") != 0 {
			s.t.Errorf("the log:\n%s", s.log.text.String())
		}
		if c := s.Server.Status().Defence; c.Guesses != 200 || c.Unknown != 100 {
			s.t.Errorf("counted: %+v", c)
		}
	}, func(c *config.Config) { c.Defence.Mode = config.DefenceWatch }))
	t.Run("S11 mode off counts nothing", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
		if c := s.Server.Status().Defence; c.Guesses+c.Unknown != 0 || c.Records != 0 {
			s.t.Errorf("counted: %+v", c)
		}
	}, func(c *config.Config) { c.Defence.Mode = config.DefenceOff }))
	t.Run("S11 an exempt source is not counted", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		if n := looked(200, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 200 {
			s.t.Errorf("%d of 200 are answered", n)
		}
	}, func(c *config.Config) { c.Defence.Exempt = prefixesOf("198.51.100.0/24") }))
	t.Run("S11 a reload changes all keys at once", underSiege(func(s *siege) {
		p := s.at(enemy, "bob")
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		reload := func(change func(*config.Defence)) {
			s.t.Helper()
			cfg := s.Config
			change(&cfg.Defence)
			if err := s.Server.Reload(cfg); err != nil {
				s.t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			change func(*config.Defence)
			want   int
		}{
			"silence": {func(d *config.Defence) { d.Answer = config.DefenceSilent }, 0},
			"watch":   {func(d *config.Defence) { d.Mode = config.DefenceWatch }, 401},
			"exempt":  {func(d *config.Defence) { d.Exempt = prefixesOf("198.51.100.7/32") }, 401},
			"nothing": {func(d *config.Defence) {}, 403},
		} {
			reload(c.change)
			if st := guess(p, "u120"); st != c.want {
				s.t.Errorf("%s: %d, want %d", name, st, c.want)
			}
		}
		reload(func(d *config.Defence) { d.Tries, d.RefuseAfter = 4, 8 })
		other := s.at("198.51.100.8:5060", "bob")
		s.nonce(other)
		atMost(s.t, 5, looked(50, 401, func(i int) int { return guess(other, fmt.Sprint("u", i)) }))
	}))
	t.Run("S11 an administrator allows, denies and forgets", underSiege(func(s *siege) {
		p, d := s.at(enemy, "bob"), s.Server.Defence()
		s.nonce(p)
		looked(300, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) })
		net := netip.MustParsePrefix("198.51.100.0/24")
		step := func(what string, err error, want int) {
			s.t.Helper()
			if st := right(p, "u150"); err != nil || st != want {
				s.t.Errorf("%s: %d, want %d (%v)", what, st, want, err)
			}
		}
		_, _, err := d.Forget(net)
		step("forget", err, 200)
		step("deny", d.Rule(defence.Rule{Action: defence.Deny, Source: net, Until: time.Now().Add(time.Hour)}), 403)
		if st := ask(p, "OPTIONS", "bob"); st != 403 {
			s.t.Errorf("any request of a denied source gets %d", st)
		}
		step("allow a part", d.Rule(defence.Rule{Action: defence.Allow, Source: netip.MustParsePrefix("198.51.100.7/32")}), 200)
		if n := looked(100, 401, func(i int) int { return guess(p, fmt.Sprint("u", i%100)) }); n != 100 {
			s.t.Errorf("of an allowed source %d of 100 are answered", n)
		}
		s.Restart()
		if n := len(s.Server.Defence().Rules()); n != 2 {
			s.t.Errorf("%d rules outlive a restart", n)
		}
		d = s.Server.Defence()
		rules, _, err := d.Forget(netip.MustParsePrefix("198.51.100.7/32"))
		if rules != 1 {
			s.t.Errorf("%d rules are forgotten", rules)
		}
		s.nonce(p)
		step("the rest", err, 403)
		time.Sleep(time.Hour)
		s.nonce(p)
		step("when its time is over", nil, 200)
	}))
}
