package conformance

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
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

func prefixesOf(texts ...string) (list []config.Prefix) {
	for _, text := range texts {
		list = append(list, config.Prefix(netip.MustParsePrefix(text)))
	}
	return list
}
