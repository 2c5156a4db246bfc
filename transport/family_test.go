package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
)

// haveIPv6 skips a test on a machine without it.
func haveIPv6(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6")
	}
	l.Close()
}

// Which families a listener takes (P13).
func TestFamilies(t *testing.T) {
	haveIPv6(t)
	noLeak(t)
	ca := newAuthority(t)
	secure := TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}}
	for _, c := range []struct {
		address    string
		four, six  bool
		unreliable bool // UDP too
	}{
		{"[::]:0", true, true, true}, {":0", true, true, true}, {"0.0.0.0:0", true, false, true},
		{"[::1]:0", false, true, true}, {"127.0.0.1:0", true, false, true}, {"[::ffff:127.0.0.1]:0", true, false, true},
	} {
		t.Run("P13 "+c.address, func(t *testing.T) {
			h := &answerer{}
			tr := start(t, Config{TLS: secure, Listeners: []Listener{{sip.UDP, c.address}, {sip.TCP, c.address}, {sip.TLS, c.address}}}, h)
			w := &world{T: t}
			for host, takes := range map[string]bool{"127.0.0.1": c.four, "::1": c.six} {
				for _, over := range []sip.Transport{sip.TCP, sip.TLS} {
					to := netip.AddrPortFrom(netip.MustParseAddr(host), addr(t, tr, over).Port())
					nc, err := net.DialTimeout("tcp", to.String(), patience)
					if (err == nil) != takes {
						t.Errorf("%v to %v: %v", over, to, err)
					}
					if err != nil {
						continue
					}
					p := &peer{T: t, Conn: nc}
					if over == sip.TLS {
						p = &peer{T: t, Conn: tls.Client(nc, ClientTLS("example.com", ca.pool))}
					}
					p.open()
					nc.Close()
				}
				client, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
				if err != nil {
					t.Fatal(err)
				}
				to := netip.AddrPortFrom(netip.MustParseAddr(host), addr(t, tr, sip.UDP).Port())
				client.WriteTo([]byte(strings.Replace(request("UDP", host, ""), ";branch", ";rport;branch", 1)), net.UDPAddrFromAddrPort(to))
				if takes {
					if got, from := receive(w, client); from != to || !strings.HasPrefix(got, "SIP/2.0 200 ") {
						t.Errorf("UDP from %v: %q", from, got)
					}
				}
				client.Close()
			}
			for _, in := range h.seen() {
				if l, r := in.Flow.Local.Addr(), in.Flow.Remote.Addr(); l.Is4In6() || r.Is4In6() || l.IsUnspecified() {
					t.Errorf("from %v to %v", r, l)
				}
			}
		})
	}
	t.Run("P13 one listener for each family", func(t *testing.T) {
		for _, four := range []string{"0.0.0.0", "127.0.0.1"} {
			free := netip.MustParseAddrPort(freePort(t)).Port()
			at := func(host string) string { return netip.AddrPortFrom(netip.MustParseAddr(host), free).String() }
			tr := start(t, Config{Listeners: []Listener{{sip.UDP, at("::")}, {sip.TCP, at("::")}, {sip.UDP, at(four)}, {sip.TCP, at(four)}}}, &answerer{})
			for _, host := range []string{"127.0.0.1", "::1"} {
				nc, err := net.DialTimeout("tcp", at(host), patience)
				if err != nil {
					t.Fatal(err)
				}
				(&peer{T: t, Conn: nc}).open()
				nc.Close()
				flow, err := tr.Open(sip.UDP, netip.MustParseAddrPort(at(host)), "")
				if err != nil || flow.Local.String() != at(host) || !tr.Alive(flow) {
					t.Errorf("to %s: %v, %v", host, flow, err)
				}
			}
			shutdown(t, tr)
		}
	})
	t.Run("P13 sent from a listener of both families", func(t *testing.T) {
		tr := start(t, Config{Listeners: []Listener{{sip.UDP, "[::]:0"}, {sip.TCP, "[::]:0"}}}, &answerer{})
		w := &world{T: t}
		for _, host := range []string{"127.0.0.1", "::1"} {
			client, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			to := addrPort(client.LocalAddr())
			flow, err := tr.Open(sip.UDP, to, "")
			if err != nil || flow.Local.Addr() != to.Addr() {
				t.Fatalf("%v, %v", flow, err)
			}
			if err := sendNow(tr, flow, to, []byte("x")); err != nil {
				t.Error(err)
			}
			if got, from := receive(w, client); got != "x" || from != flow.Local {
				t.Errorf("%q from %v, want it from %v", got, from, flow.Local)
			}
		}
	})
}

// TestWithoutIPv6: a machine where it is off.
func TestWithoutIPv6(t *testing.T) {
	off := func(network, address string, bind func(network, address string) error) error {
		if a, err := netip.ParseAddrPort(address); err != nil || a.Addr().Is6() {
			return &net.OpError{Op: "listen", Net: network, Err: syscall.EAFNOSUPPORT}
		}
		return bind(network, address)
	}
	var log bytes.Buffer
	cfg := Config{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		ListenPacket: func(network, address string) (c net.PacketConn, err error) {
			err = off(network, address, func(network, address string) (err error) { c, err = net.ListenPacket(network, address); return err })
			return c, err
		},
		ListenStream: func(network, address string) (l net.Listener, err error) {
			err = off(network, address, func(network, address string) (err error) { l, err = net.Listen(network, address); return err })
			return l, err
		},
	}
	t.Run("P13 every address is every IPv4 address", func(t *testing.T) {
		cfg.Listeners = []Listener{{sip.UDP, "[::]:0"}, {sip.TCP, "[::]:0"}}
		tr := start(t, cfg, &answerer{})
		for _, f := range tr.Addrs() {
			if f.Local.Addr() != netip.IPv4Unspecified() {
				t.Errorf("bound to %v", f.Local)
			}
		}
		nc, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), addr(t, tr, sip.TCP).Port()).String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		(&peer{T: t, Conn: nc}).open()
		if !strings.Contains(log.String(), "IPv6 is off") {
			t.Errorf("the log does not tell: %s", log.String())
		}
	})
	t.Run("P13 an IPv6 address cannot be had", func(t *testing.T) {
		cfg.Listeners = []Listener{{sip.TCP, "[::1]:0"}}
		tr, err := New(cfg, &answerer{})
		if err != nil {
			t.Fatal(err)
		}
		err = tr.Listen()
		if !errors.Is(err, syscall.EAFNOSUPPORT) || !strings.HasSuffix(err.Error(), ": IPv6 is off on this machine; choose an IPv4 address") {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = tr.Shutdown(ctx)
	})
}
