package transport

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
)

func TestListen(t *testing.T) {
	noLeak(t)
	taken := start(t, Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}, {sip.TCP, "127.0.0.1:0"}}}, &answerer{})
	udp, tcp := addr(t, taken, sip.UDP).String(), addr(t, taken, sip.TCP).String()
	t.Run("all or none", func(t *testing.T) {
		for address, tr := range map[string]sip.Transport{udp: sip.UDP, tcp: sip.TCP} {
			free := freePort(t)
			second, err := New(Config{Listeners: []Listener{{sip.UDP, free}, {sip.TCP, free}, {tr, address}}}, &answerer{})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ToLower(tr.String()) + " " + address + ": address already in use: another server runs there; stop it or choose another address"
			if err := second.Listen(); err == nil || err.Error() != want || !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			// Nothing of it is bound any more.
			again := start(t, Config{Listeners: []Listener{{sip.UDP, free}, {sip.TCP, free}}}, &answerer{})
			shutdown(t, again)
		}
	})
	t.Run("not ours", func(t *testing.T) {
		tr, err := New(Config{Listeners: []Listener{{sip.UDP, "192.0.2.1:5060"}}}, &answerer{})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Listen(); err == nil || !strings.Contains(err.Error(), "udp 192.0.2.1:5060: ") || !strings.Contains(err.Error(), "this machine has no such address") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("bad configurations", func(t *testing.T) {
		for want, cfg := range map[string]Config{
			"not an IP address and a port": {Listeners: []Listener{{sip.UDP, "example.com:5060"}}},
			"is not one of UDP, TCP, TLS":  {Listeners: []Listener{{sip.WS, "127.0.0.1:0"}}},
			"needs a certificate":          {Listeners: []Listener{{sip.TLS, "127.0.0.1:0"}}},
			"64*T1":                        {Limits: Limits{Idle: time.Second}},
			"negative":                     {Limits: Limits{MaxConns: -1}},
		} {
			if _, err := New(cfg, &answerer{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
