package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"biloxi/sip"
)

// RFC 3261 §18.4: which ICMP errors are told.
func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		name               string
		origin, kind, code uint8
		want               bool
	}{
		{"network", unix.SO_EE_ORIGIN_ICMP, 3, 0, true},
		{"host", unix.SO_EE_ORIGIN_ICMP, 3, 1, true},
		{"protocol", unix.SO_EE_ORIGIN_ICMP, 3, 2, true},
		{"port", unix.SO_EE_ORIGIN_ICMP, 3, 3, true},
		{"fragmentation needed", unix.SO_EE_ORIGIN_ICMP, 3, 4, false},
		{"filtered", unix.SO_EE_ORIGIN_ICMP, 3, 13, true},
		{"source quench", unix.SO_EE_ORIGIN_ICMP, 4, 0, false},
		{"time exceeded", unix.SO_EE_ORIGIN_ICMP, 11, 0, false},
		{"parameter problem", unix.SO_EE_ORIGIN_ICMP, 12, 0, true},
		{"IPv6 port", unix.SO_EE_ORIGIN_ICMP6, 1, 4, true},
		{"IPv6 packet too big", unix.SO_EE_ORIGIN_ICMP6, 2, 0, false},
		{"IPv6 time exceeded", unix.SO_EE_ORIGIN_ICMP6, 3, 0, false},
		{"IPv6 parameter problem", unix.SO_EE_ORIGIN_ICMP6, 4, 0, true},
		{"of this host", unix.SO_EE_ORIGIN_LOCAL, 0, 0, false},
	} {
		if got := unreachable(&unix.SockExtendedErr{Origin: c.origin, Type: c.kind, Code: c.code}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A datagram to a port where nobody listens is told of, and those to others are not lost with it.
func TestBounce(t *testing.T) {
	for _, c := range []struct{ listen, server string }{
		{"127.0.0.1:0", "127.0.0.1"}, {"0.0.0.0:0", "127.0.0.1"}, {":0", "127.0.0.1"}, {":0", "::1"}, {"[::1]:0", "::1"},
	} {
		t.Run("TP-030/"+c.listen+" "+c.server, func(t *testing.T) {
			noLeak(t)
			if strings.Contains(c.listen+c.server, "::") || c.listen == ":0" {
				needIPv6(t)
			}
			gone := &lost{}
			tr := start(t, Config{Listeners: []Listener{{sip.UDP, c.listen}}, Undelivered: gone.tell}, &answerer{})
			w := &world{T: t, server: c.server, client: "[" + c.server + "]"}
			if !strings.Contains(c.server, ":") {
				w.client = c.server
			}
			dead, live := w.packetConn(), w.packetConn()
			dead.Close()
			bad := w.mustOpen(tr, sip.UDP, addrPort(dead.LocalAddr()), "")
			good := w.mustOpen(tr, sip.UDP, addrPort(live.LocalAddr()), "")
			if want := netip.AddrPortFrom(netip.MustParseAddr(c.server), addr(t, tr, sip.UDP).Port()); bad.Local != want || !tr.Alive(bad) {
				t.Errorf("flow %+v", bad)
			}
			const n = 100
			for i := range n {
				for _, f := range []sip.Flow{bad, good} {
					if err := tr.Send(f, f.Remote, []byte(request("UDP", fmt.Sprint(i), ""))); err != nil {
						t.Fatal(err)
					}
				}
				if i%10 == 0 {
					tr.Flush()
				}
			}
			tr.Flush()
			for i := range n {
				if got, from := receive(w, live); got != request("UDP", fmt.Sprint(i), "") || from != good.Local {
					t.Fatalf("%d: got %q from %v", i, got, from)
				}
			}
			// The kernel limits how many errors it makes to one host.
			w.eventually("told", func() bool { return gone.count() > 0 })
			f, b, err := gone.last()
			if f != bad || !strings.HasPrefix(b, "OPTIONS sip:example.com SIP/2.0\r\nVia: ") || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("told %+v, %q, %v", f, b, err)
			}
			if got, _ := exchange(w, live, net.UDPAddrFromAddrPort(good.Local).AddrPort(), rport("on")); status(t, []byte(got)) != "200 on" {
				t.Errorf("got %q", got)
			}
			if n := tr.Stats().Value("unsent", sip.UDP, "error"); n != 0 {
				t.Errorf("%d were refused by the system", n)
			}
		})
	}
}
