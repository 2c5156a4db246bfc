// Package conformance sees a whole server from outside, row by row: each subtest has the name of the row
// in rows.tsv, or of the trap in traps.tsv, that it shows. Phones speak raw SIP to it. Where time
// matters the server runs in a bubble of testing/synctest on a simulated network.
package conformance

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"biloxi/config"
	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/test/bed"
)

// start starts a server on loopback, with changes to its configuration.
func start(t *testing.T, changes ...func(*config.Config)) *bed.Bed {
	t.Helper()
	return bed.Start(t, bed.Options{Config: together(changes)})
}

// simulate runs fn in a bubble, with a server on a simulated network at 192.0.2.222, that of RFC 3665:
// UDP and TCP on 5060, TLS on 5061.
func simulate(t *testing.T, fn func(t *testing.T, b *bed.Bed), changes ...func(*config.Config)) {
	t.Helper()
	data := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := siptest.NewNetwork()
		b := bed.Start(t, bed.Options{Network: network, Address: "192.0.2.222", Data: data,
			Config: together(append([]func(*config.Config){wellKnownPorts}, changes...))})
		fn(t, b)
		b.Stop()
	})
}

func wellKnownPorts(c *config.Config) {
	for i := range c.Listeners {
		c.Listeners[i].Address = "192.0.2.222:5060"
		if c.Listeners[i].Transport == config.Transport(sip.TLS) {
			c.Listeners[i].Address = "192.0.2.222:5061"
		}
	}
}

func together(changes []func(*config.Config)) func(*config.Config) {
	return func(c *config.Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

// The transports, by the names that the tests use.
const udp, tcp, tls = sip.UDP, sip.TCP, sip.TLS

// conn connects to the server.
func conn(t testing.TB, b *bed.Bed, transport sip.Transport) siptest.Wire {
	t.Helper()
	if transport == sip.UDP {
		return siptest.OverPacket(b.ListenPacket(t), b.Addr(sip.UDP))
	}
	return siptest.OverStream(transport, b.Dial(t, transport))
}

// dialUDP is a wire to a server of another process.
func dialUDP(t testing.TB, server string) siptest.Wire {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return siptest.OverPacket(c, netip.MustParseAddrPort(server))
}

// newPhone returns a phone over UDP whose AOR no other test has.
func newPhone(t testing.TB, b *bed.Bed) *siptest.Phone {
	t.Helper()
	return phoneOf(t, b, sip.UDP, b.User())
}

// phoneOver is newPhone over another transport.
func phoneOver(t testing.TB, b *bed.Bed, transport sip.Transport) *siptest.Phone {
	t.Helper()
	return phoneOf(t, b, transport, b.User())
}

// phoneOf returns one more phone of a user.
func phoneOf(t testing.TB, b *bed.Bed, transport sip.Transport, user string) *siptest.Phone {
	t.Helper()
	return siptest.NewPhone(t, conn(t, b, transport), user, bed.Domain, bed.Password(user))
}

// again returns one more phone of the same user, over the same transport.
func again(t testing.TB, b *bed.Bed, p *siptest.Phone) *siptest.Phone {
	t.Helper()
	return phoneOf(t, b, p.Conn.Transport(), p.User)
}
