package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// serveDNS answers on UDP and TCP of loopback until the test ends.
func (z *zones) serveDNS(t testing.TB) netip.AddrPort {
	t.Helper()
	packets, streams := bindBoth(t)
	addr := packets.LocalAddr().(*net.UDPAddr).AddrPort()
	handler := func(network string) dns.HandlerFunc {
		return func(w dns.ResponseWriter, q *dns.Msg) {
			z.mu.Lock()
			z.asked = append(z.asked, network+" "+canonical(q.Question[0].Name)+" "+typeName(q.Question[0].Qtype))
			z.mu.Unlock()
			a := z.answer(q)
			if network == "udp" {
				size := dns.MinMsgSize
				if opt := q.IsEdns0(); opt != nil {
					size = int(opt.UDPSize())
				}
				a.Truncate(size)
			}
			w.WriteMsg(a)
		}
	}
	for network, s := range map[string]*dns.Server{"udp": {PacketConn: packets}, "tcp": {Listener: streams}} {
		started := make(chan struct{})
		ended := make(chan error, 1)
		s.Handler, s.NotifyStartedFunc = handler(network), func() { close(started) }
		go func() { ended <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			s.Shutdown()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	return addr
}

// bindBoth binds one port of UDP and TCP.
func bindBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams
		}
		packets.Close() // somebody has that port for TCP
	}
	t.Fatal("no port is free for UDP and TCP")
	return nil, nil
}

// waiter is a Done that can be waited for.
type waiter chan error

func (w waiter) Resolved(err error) { w <- err }

// resolve looks up and waits.
func resolve(t testing.TB, r *Resolver, uri string) ([]string, error) {
	t.Helper()
	u := parse(t, uri)
	var list Targets
	done := make(waiter, 1)
	ready, err := r.Lookup(Query{URI: &u}, &list, done)
	if !ready && err == nil {
		err = <-done
	}
	return show(&list), err
}

// run makes a resolver with workers, which ends with the test.
func run(t testing.TB, cfg Config) *Resolver {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { r.Run(); close(ended) }()
	t.Cleanup(func() { r.Close(); <-ended })
	return r
}

// TestSockets asks a DNS server on loopback.
func TestSockets(t *testing.T) {
	z := loadZones(t)
	r := run(t, Config{Servers: []netip.AddrPort{z.serveDNS(t)}, Families: IPv4Only})
	for uri, want := range map[string][]string{
		"sip:example.com":       {"TLS 192.0.2.1:5061 0/1 example.com", "TLS 192.0.2.2:5061 1/1 example.com"},
		"sip:srv.example.com":   {"UDP 192.0.2.1:5060 10/0", "TCP 192.0.2.2:5062 10/0"},
		"sip:alias.example.com": {"UDP 192.0.2.10:5060 0/0", "UDP 192.0.2.11:5060 0/0"},
	} {
		got, err := resolve(t, r, uri)
		if err != nil {
			t.Error(err)
		}
		same(t, uri, got, want)
	}
	if _, err := resolve(t, r, "sip:nobody.example.com"); !errors.Is(err, ErrNoDomain) {
		t.Error(err)
	}
	if _, err := resolve(t, r, "sip:www.example.org"); !errors.Is(err, ErrNoDomain) {
		t.Error(err)
	}
}

// TestTruncated asks for what fits no datagram.
func TestTruncated(t *testing.T) {
	z := loadZones(t)
	for i := range 100 {
		z.load(t, fmt.Sprintf("big.example.com. 300 IN A 10.0.0.%d\n", i+1))
	}
	r := run(t, Config{Servers: []netip.AddrPort{z.serveDNS(t)}, Families: IPv4Only})
	got, err := resolve(t, r, "sip:big.example.com:5060")
	if err != nil || len(got) != maxRecords {
		t.Errorf("%d targets: %v", len(got), err)
	}
	same(t, "RFC 1035 §4.2.1", z.questions(), []string{"udp big.example.com A", "tcp big.example.com A"})
}

// TestNameServers has name servers that fail in several ways; each is told apart, and the next one asked.
func TestNameServers(t *testing.T) {
	fails := func(rcode int) func(q, a *dns.Msg) {
		return func(q, a *dns.Msg) { a.Answer, a.Ns, a.Rcode = nil, nil, rcode }
	}
	for _, c := range []struct {
		name  string
		reply func(q, a *dns.Msg)
		says  string
	}{
		{"SERVFAIL", fails(dns.RcodeServerFailure), "SERVFAIL"},
		{"REFUSED", fails(dns.RcodeRefused), "REFUSED"},
		{"a code that nobody knows", fails(14), "code 14"},
		{"another question", func(q, a *dns.Msg) { a.Question[0].Name = "evil.example." }, "another question"},
		{"no question", func(q, a *dns.Msg) { a.Question = nil }, "another question"},
		{"a referral", func(q, a *dns.Msg) { a.Answer, a.Ns, a.Authoritative = nil, nil, false }, "recursive"},
		{"no response", func(q, a *dns.Msg) { a.Response = false }, "malformed"},
		{"another ID", func(q, a *dns.Msg) { a.Id++ }, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t)
			g.zones.reply = c.reply
			_, err := g.find("sip:v4.example.com:5060")
			if !errors.Is(err, ErrServerFailure) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), serverA.String()) {
				t.Errorf("%v, want something about %q", err, c.says)
			}
			// It was an answer: it is not asked again.
			if n := len(g.zones.questions()); n != 2 {
				t.Errorf("%d exchanges, want 2", n)
			}
		})
		t.Run(c.name+" and a second server", func(t *testing.T) {
			bad, good := loadZones(t), loadZones(t)
			bad.reply = c.reply
			r := run(t, Config{Servers: []netip.AddrPort{serverA, serverB}, Exchanger: split{serverA: bad, serverB: good}, Families: IPv4Only})
			got, err := resolve(t, r, "sip:v4.example.com:5060")
			if err != nil {
				t.Error(err)
			}
			same(t, "from the second", got, []string{"UDP 192.0.2.14:5060 0/0"})
		})
	}
	t.Run("RFC 6891 §6.2.2 no EDNS", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) {
			if q.IsEdns0() != nil {
				a.Answer, a.Rcode = nil, dns.RcodeFormatError
			}
		}
		g.expect("sip:v4.example.com:5060", "UDP 192.0.2.14:5060 0/0")
	})
	t.Run("NAPTR fails: SRV is asked for", func(t *testing.T) {
		g := newRig(t, func(cfg *Config) { cfg.Families = IPv4Only })
		g.zones.reply = func(q, a *dns.Msg) {
			if q.Question[0].Qtype == dns.TypeNAPTR {
				a.Answer, a.Rcode = nil, dns.RcodeNotImplemented
			}
		}
		g.expect("sip:srv.example.com", "UDP 192.0.2.1:5060 10/0", "TCP 192.0.2.2:5062 10/0")
	})
	t.Run("SRV fails: the address is not taken instead", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) {
			if q.Question[0].Qtype == dns.TypeSRV {
				a.Answer, a.Rcode = nil, dns.RcodeServerFailure
			}
		}
		if got, err := g.find("sip:host.example.com"); !errors.Is(err, ErrServerFailure) {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("no server at all", func(t *testing.T) {
		g := newRig(t, func(cfg *Config) { cfg.Servers = []netip.AddrPort{} })
		g.expect("sip:192.0.2.1", "UDP 192.0.2.1:5060 0/0")
		if _, err := g.find("sip:v4.example.com"); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "configured") {
			t.Error(err)
		}
	})
}

// split is an Exchanger with a zone for each server.
type split map[netip.AddrPort]*zones

func (s split) Exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	return s[server].Exchange(ctx, network, server, query)
}

// TestSilence has name servers that say nothing, in virtual time.
func TestSilence(t *testing.T) {
	const uri = "sip:v4.example.com:5060"
	t.Run("the next server is asked, and first from then on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			z := loadZones(t)
			z.silent[serverA.String()] = true
			r := run(t, Config{Servers: []netip.AddrPort{serverA, serverB}, Exchanger: z, Families: IPv4Only})
			start := time.Now()
			if _, err := resolve(t, r, uri); err != nil {
				t.Error(err)
			}
			if d := time.Since(start); d != tryTime {
				t.Errorf("took %v, want %v", d, tryTime)
			}
			start = time.Now()
			if _, err := resolve(t, r, "sip:host.example.com:5060"); err != nil || time.Since(start) != 0 {
				t.Errorf("took %v: %v", time.Since(start), err)
			}
			time.Sleep(serverRest)
			z.mu.Lock()
			clear(z.silent)
			z.mu.Unlock()
			z.questions()
			if _, err := resolve(t, r, "sip:zero.example.com:5060"); err != nil || len(z.questions()) != 1 {
				t.Error("the first server is not asked again", err)
			}
		})
	})
	t.Run("a datagram is lost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			z := loadZones(t)
			z.silent[serverA.String()] = true
			r := run(t, Config{Servers: []netip.AddrPort{serverA}, Exchanger: z, Families: IPv4Only})
			time.AfterFunc(tryTime/2, func() { z.mu.Lock(); clear(z.silent); z.mu.Unlock() })
			got, err := resolve(t, r, uri)
			if err != nil {
				t.Error(err)
			}
			same(t, uri, got, []string{"UDP 192.0.2.14:5060 0/0"})
		})
	})
	t.Run("nobody answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			z := loadZones(t)
			z.silent[serverA.String()], z.silent[serverB.String()] = true, true
			r := run(t, Config{Servers: []netip.AddrPort{serverA, serverB}, Exchanger: z})
			start := time.Now()
			_, err := resolve(t, r, "sip:example.com")
			var e *Error
			if !errors.Is(err, ErrTimeout) || !errors.As(err, &e) || !e.Temporary() || !strings.Contains(err.Error(), serverB.String()) {
				t.Error(err)
			}
			if d := time.Since(start); d > lookupTime+questionTime {
				t.Errorf("took %v", d)
			}
		})
	})
	t.Run("too many wait: the rest is told so, and those that wait too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			z := loadZones(t)
			z.silent[serverA.String()] = true
			r := run(t, Config{Servers: []netip.AddrPort{serverA}, Exchanger: z, Families: IPv4Only, Workers: 2, MaxPending: 50})
			done := make(waiter, 60)
			lists := make([]Targets, 60)
			busy := 0
			for i := range lists {
				u := parse(t, fmt.Sprintf("sip:h%d.example.com:5060", i))
				ready, err := r.Lookup(Query{URI: &u}, &lists[i], done)
				switch {
				case errors.Is(err, ErrBusy):
					busy++
				case ready || err != nil:
					t.Fatal(ready, err)
				}
			}
			if busy != 10 {
				t.Errorf("%d of 60 are refused, want 10", busy)
			}
			start := time.Now()
			for range 50 {
				if err := <-done; !errors.Is(err, ErrTimeout) {
					t.Error(err)
				}
			}
			if d := time.Since(start); d > lookupTime+questionTime {
				t.Errorf("the last took %v", d)
			}
			if s := r.Stats(); s.Pending != 0 || s.Refused != 10 {
				t.Errorf("%+v", s)
			}
		})
	})
}

// TestExchangeGuesses has somebody on the path of the answer, who sends what does not belong to the query.
func TestExchangeGuesses(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ended := make(chan error, 1)
	go func() {
		b := make([]byte, datagramSize)
		n, from, err := server.ReadFrom(b)
		if err == nil {
			a := slices.Clone(b[:n])
			a[2] |= 0x80
			for _, guess := range [][]byte{{1, 2}, b[:n], append([]byte{^b[0]}, a[1:]...), a} {
				if _, err = server.WriteTo(guess, from); err != nil {
					break
				}
			}
		}
		ended <- err
	}()
	query, err := newQuery(question{"example.com", typeA}, true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := sockets{}.Exchange(ctx, "udp", server.LocalAddr().(*net.UDPAddr).AddrPort(), query)
	if err != nil || !sameID(got, query) {
		t.Errorf("%x, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestExchangeStream has a server that breaks off, or answers another query.
func TestExchangeStream(t *testing.T) {
	query, err := newQuery(question{"example.com", typeA}, false)
	if err != nil {
		t.Fatal(err)
	}
	framed := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	right := slices.Clone(query)
	right[2] |= 0x80
	wrong := slices.Clone(right)
	wrong[1]++
	for cut := range len(framed(right)) + 1 {
		_, err := stream(t, query, framed(right)[:cut])
		if (err == nil) != (cut == len(framed(right))) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	if _, err := stream(t, query, framed(wrong)); err == nil {
		t.Error("the answer to another query is taken")
	}
}

func stream(t *testing.T, query, reply []byte) ([]byte, error) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		if _, err := io.ReadFull(far, make([]byte, 2+len(query))); err == nil {
			far.Write(reply)
		}
	}()
	return exchangeStream(near, query)
}

// TestExchangeEnds cancels an exchange with a server that says nothing.
func TestExchangeEnds(t *testing.T) {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.ReadFrom(make([]byte, datagramSize))
		cancel()
	}()
	query, _ := newQuery(question{"example.com", typeA}, true)
	if _, err := (sockets{}).Exchange(ctx, "udp", server.LocalAddr().(*net.UDPAddr).AddrPort(), query); err == nil {
		t.Error("an answer from nowhere")
	}
}

// TestSlowServer has a name server that must ask others itself.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := loadZones(t)
		z.asks = make(chan struct{}, 1)
		time.AfterFunc(4*time.Second, func() { z.asks <- struct{}{} })
		r := run(t, Config{Servers: []netip.AddrPort{serverA}, Exchanger: z, Families: IPv4Only})
		start := time.Now()
		if _, err := resolve(t, r, "sip:v4.example.com:5060"); err != nil || time.Since(start) != 4*time.Second {
			t.Errorf("took %v: %v", time.Since(start), err)
		}
	})
}
