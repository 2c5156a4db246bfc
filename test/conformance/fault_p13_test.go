package conformance

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultP13: "[::]:5060" listens on all addresses.
func TestFaultP13(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		l.Close()
	}
	everywhere := func(c *config.Config) {
		for i := range c.Listeners {
			c.Listeners[i].Address = "[::]:0"
		}
	}
	// phone is one at an address of this machine.
	phone := func(t *testing.T, b *bed.Bed, transport sip.Transport, host string) *Phone {
		t.Helper()
		to := netip.AddrPortFrom(netip.MustParseAddr(host), b.Addr(transport).Port())
		if transport == udp {
			c, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			return NewPhone(t, OverPacket(c, to), b.User(), bed.Domain, bed.Password("u0"))
		}
		c, err := net.Dial("tcp", to.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return NewPhone(t, OverStream(transport, c), b.User(), bed.Domain, bed.Password("u0"))
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		for _, transport := range []sip.Transport{udp, tcp} {
			t.Run("P13 a phone at "+host+" over "+transport.String(), func(t *testing.T) {
				b := start(t, everywhere)
				p := phone(t, b, transport, host)
				p.Password = bed.Password(p.User)
				p.Register(Contact("<sip:" + p.User + "@" + p.Conn.Local().String() + ";transport=" + strings.ToLower(transport.String()) + ">")).Expect(200)
				// It is called: Via and Record-Route have an address of the phone's family.
				caller := phone(t, b, udp, "127.0.0.1")
				caller.Start(Method("INVITE"), URI("sip:"+p.User+"@"+bed.Domain), From("<sip:carol@example.org>;tag=1"), To("<sip:"+p.User+"@"+bed.Domain+">"),
					Contact("<sip:carol@"+caller.Conn.Local().String()+">"))
				var call []byte
				for !strings.HasPrefix(string(call), "INVITE ") {
					var err error
					if call, err = p.Conn.Receive(10 * time.Second); err != nil {
						t.Fatal(err)
					}
				}
				us := net.JoinHostPort(host, "")
				if host == "127.0.0.1" {
					us = host + ":"
				}
				_, top, _ := strings.Cut(string(call), "\r\nVia: SIP/2.0/"+transport.String()+" ")
				if !strings.HasPrefix(top, us) || !strings.Contains(string(call), "Record-Route: <sip:"+us) && !strings.Contains(string(call), "@"+us) {
					t.Errorf("not by %s:\n%s", us, call)
				}
			})
		}
	}
	t.Run("P13 a trusted IPv4 peer", func(t *testing.T) {
		b := start(t, everywhere, func(c *config.Config) {
			var p config.Prefix
			if err := p.UnmarshalText([]byte("127.0.0.1")); err != nil {
				t.Fatal(err)
			}
			c.Proxy.Trusted = []config.Prefix{p}
		})
		// A stranger is refused this (403); the name does not exist, which is as far as a trusted peer comes.
		p := phone(t, b, udp, "127.0.0.1")
		p.Once(Method("OPTIONS"), URI("sip:x@[::1]:9"), From("<sip:carol@example.org>;tag=1"), To("<sip:x@[::1]:9>")).Expect(408, 503, 500)
	})
}
