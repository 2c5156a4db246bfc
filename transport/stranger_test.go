package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

// flood opens n connections to a server from each of many addresses, and does what is to be done with each.
func (w *world) flood(to netip.AddrPort, sources, n int, do func(net.Conn)) (conns []net.Conn) {
	w.Helper()
	for i := range n {
		for s := range sources {
			from := fmt.Sprintf("198.51.%d.%d", s/250, 1+s%250)
			if to.Addr().Is6() {
				from = fmt.Sprintf("2001:db8:%x:%x::1", s>>8, s<<8)
			}
			c, err := w.net.Host(from).Dial(context.Background(), to.String())
			if err != nil {
				w.Fatal(err)
			}
			w.Cleanup(func() { c.Close() })
			conns = append(conns, c)
			if do != nil {
				do(c)
			}
			if (i*sources+s)%64 == 0 {
				synctest.Wait()
			}
		}
	}
	synctest.Wait()
	return conns
}

// registers opens a connection on which something is authenticated.
func (w *world) registers(to netip.AddrPort, cfg *tls.Config) *peer {
	w.Helper()
	p := w.dial(to)
	if cfg != nil {
		p = &peer{T: w.T, Conn: tls.Client(p.Conn, cfg)}
	}
	p.send(request("TCP", "in", ""))
	p.status()
	return p
}

// hello is what a client sends first.
func hello(t testing.TB) (b []byte) {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		_ = tls.Client(near, &tls.Config{InsecureSkipVerify: true}).Handshake()
	}()
	b = make([]byte, recordHeader)
	if _, err := io.ReadFull(far, b); err == nil {
		b = append(b, make([]byte, recordLength(b)-recordHeader)...)
		_, err = io.ReadFull(far, b[recordHeader:])
		if err != nil {
			t.Fatal(err)
		}
	}
	far.Close()
	near.Close()
	return b
}

func TestFaultS4(t *testing.T) {
	ca := newAuthority(t)
	one := TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}}
	client := ClientTLS("example.com", ca.pool)
	first := hello(t)
	served := func(w *world, to netip.AddrPort) {
		w.Helper()
		start := time.Now()
		w.secure(to, client).open()
		if d := time.Since(start); d > 100*time.Millisecond {
			w.Errorf("a new phone was served after %v", d)
		}
	}
	// trickle sends a byte a second.
	trickle := func(c net.Conn, b []byte) {
		go func() {
			for i := range b {
				if _, err := c.Write(b[i : i+1]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
	}
	lasts := func(w *world, tr *Transport, reason string, n uint64, d time.Duration) {
		w.Helper()
		time.Sleep(d - time.Millisecond)
		synctest.Wait()
		if got := tr.Stats().Value("closed", sip.TLS, ""); got != 0 {
			w.Errorf("%d closed before %v", got, d)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if got := tr.Stats().Value("closed", sip.TLS, reason); got != n {
			w.Errorf("%d closed after %v (%s), want %d", got, d, reason, n)
		}
	}
	simulated(t, "S4 a silent connection takes no turn", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1, Handshake: 30 * time.Second}}, &authenticator{})
		w.flood(to, 20, 256, nil)
		lasts(w, tr, "no ClientHello", 20*256, firstFlight)
		w.flood(to, 20, 256, nil)
		served(w, to)
	})
	simulated(t, "S4 a ClientHello of a byte a second takes none", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1, Handshake: 30 * time.Second}}, &authenticator{})
		w.flood(to, 50, 20, func(c net.Conn) { trickle(c, first) })
		lasts(w, tr, "no ClientHello", 1000, firstFlight)
		w.flood(to, 50, 20, func(c net.Conn) { trickle(c, first) })
		served(w, to)
		time.Sleep(time.Minute)
	})
	simulated(t, "S4 who has begun and goes silent gives its turn back", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1, Handshake: 30 * time.Second}}, &authenticator{})
		w.flood(to, 50, 20, func(c net.Conn) { c.Write(first) })
		served(w, to)
		lasts(w, tr, "handshake", 1000, 30*time.Second)
	})
	simulated(t, "S4 who has begun and sends a byte a second gives its turn back", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1, Handshake: 30 * time.Second}}, &authenticator{})
		w.flood(to, 50, 20, func(c net.Conn) { c.Write(first); trickle(c, append([]byte{22, 3, 3, 64, 0}, make([]byte, 100)...)) })
		served(w, to)
		lasts(w, tr, "handshake", 1000, 30*time.Second)
		time.Sleep(time.Minute)
	})
	simulated(t, "S4 those that have begun are so many at the most", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{MaxHandshakes: 100}}, &authenticator{})
		w.flood(to, 50, 20, func(c net.Conn) { c.Write(first) })
		served(w, to)
		if n := tr.Stats().Value("closed", sip.TLS, "gave way in its handshake"); n != 901 {
			w.Errorf("%d gave way, want 901", n)
		}
	})
	simulated(t, "S4 one source does not have all of them", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{MaxHandshakes: 100}}, &authenticator{})
		light := w.flood(to, 1, 1, func(c net.Conn) { c.Write(first) })[0]
		w.client = "198.51.100.200"
		heavy := w.flood(netip.AddrPortFrom(to.Addr(), to.Port()), 1, 200, func(c net.Conn) { c.Write(first) })
		_ = heavy
		_ = light
		tr.admission.mu.Lock()
		n := tr.admission.handshakes.count
		tr.admission.mu.Unlock()
		if n != 50 {
			w.Errorf("%d of one source, want 50", n)
		}
		served(w, to)
	})
	simulated(t, "S4 who waits for a turn gives way at once", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1, MaxConns: 100, Handshake: 30 * time.Second}}, &authenticator{})
		tr.turns.take(at("192.0.2.9").wide, false, waitEnds{}) // nobody gets one
		w.flood(to, 100, 10, func(c net.Conn) { c.Write(first) })
		if n := tr.Stats().Value("refused", sip.TLS, ""); n != 0 {
			w.Errorf("%d refused", n)
		}
		if n := tr.turns.waiting(); n != 75 {
			w.Errorf("%d wait, want 75", n)
		}
		tr.turns.give()
		served(w, to)
	})
	simulated(t, "S4 large ClientHellos take no more memory than strangers have", func(w *world) {
		const most = 512 << 10
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{MaxUnfinished: strangersShare * most}}, &authenticator{})
		large := append([]byte{22, 3, 1, 64, 0, 1, 0, 128, 0}, make([]byte, 16_000)...)
		w.flood(to, 50, 4, func(c net.Conn) { c.Write(large) })
		if n := tr.unfinished.used(); n > most || n < most/2 {
			w.Errorf("%d bytes are held, want %d at the most", n, most)
		}
		served(w, to)
		time.Sleep(firstFlight)
		synctest.Wait()
		if n := tr.unfinished.used(); n != 0 {
			w.Errorf("%d bytes are held in the end", n)
		}
	})
	simulated(t, "S4 what is no TLS", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one}, &authenticator{})
		for _, b := range []string{request("TCP", "plain", ""), "\x16\x03\x01\xff\xff", "\x15\x03\x01\x00\x02\x02\x28", "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "\x16\x03\x01\x00\x00"} {
			p := w.dial(to)
			p.send(b)
			_ = p.CloseWrite()
			_, _ = io.Copy(io.Discard, p.Conn)
		}
		w.eventually("closed", func() bool { return tr.Stats().Value("connections", sip.TLS, "") == 0 })
		served(w, to)
	})
	simulated(t, "S4 a ClientHello in pieces", func(w *world) {
		_, to := w.startTLS(Config{TLS: one}, &authenticator{})
		for _, size := range []int{100, 20, 1} {
			p := w.dial(to)
			c := tls.Client(&pieces{Conn: p.Conn, size: size}, client)
			if err := c.Handshake(); err != nil {
				w.Errorf("pieces of %d: %v", size, err)
			}
			(&peer{T: w.T, Conn: c}).open()
		}
	})
}

// CloseWrite ends what the peer writes.
func (p *peer) CloseWrite() error { return p.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// pieces is a connection whose first record is written as many.
type pieces struct {
	net.Conn
	size int
	done bool
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.done {
		return p.Conn.Write(b)
	}
	p.done = true
	var out []byte
	for body := b[recordHeader:]; len(body) > 0; {
		n := min(p.size, len(body))
		out = append(append(out, 22, 3, 1, byte(n>>8), byte(n)), body[:n]...)
		body = body[n:]
	}
	if _, err := p.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Sources have one turn after the other, and handshakes that go on before those that begin.
func TestTurns(t *testing.T) {
	tt := newTurns(1)
	a, b := at("192.0.2.1").wide, at("192.0.2.2").wide
	if tt.ask(a, false) != nil {
		t.Fatal("there is none at once")
	}
	a1, a2, a3, b1, b2, again := tt.ask(a, false), tt.ask(a, false), tt.ask(a, false), tt.ask(b, false), tt.ask(b, false), tt.ask(a, true)
	tt.resign(a2)
	for i, want := range []*turn{again, a1, b1, a3, b2} {
		tt.give()
		for j, w := range []*turn{a1, a2, a3, b1, b2, again} {
			come := false
			select {
			case <-w.come:
				come = true
			default:
			}
			if w == want && !come {
				t.Fatalf("step %d: number %d has no turn", i, j)
			}
		}
		if n := tt.waiting(); n != 4-i {
			t.Fatalf("step %d: %d wait", i, n)
		}
	}
	tt.give()
	if tt.free != 1 || len(tt.of) != 0 {
		t.Errorf("%d free, %d lines", tt.free, len(tt.of))
	}
	// One that gives up as it gets its turn passes it on.
	tt.ask(a, false)
	x, y := tt.ask(a, false), tt.ask(b, false)
	tt.give()
	tt.resign(x)
	select {
	case <-y.come:
	default:
		t.Error("a turn is lost")
	}
}

func TestFaultS10(t *testing.T) {
	simulated(t, "S10 three silent sources keep nobody out", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 300, MaxConnsPerSource: 100}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		known := w.registers(to, nil)
		w.flood(to, 3, 100, nil)
		w.registers(to, nil).open()
		known.open()
		if n := tr.Stats().Value("refused", sip.TCP, ""); n != 0 {
			w.Errorf("%d refused", n)
		}
		if n := tr.Stats().Value("unauthenticated", sip.TCP, ""); n != 224 {
			w.Errorf("%d strangers, want three quarters less the one that registered", n)
		}
	})
	simulated(t, "S10 within one source the oldest gives way", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConnsPerSource: 5}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		w.client = "198.51.0.1"
		known := w.registers(to, nil)
		old := w.flood(to, 1, 4, nil)
		fresh := w.registers(to, nil)
		(&peer{T: w.T, Conn: old[0]}).closed()
		for _, c := range old[1:] {
			(&peer{T: w.T, Conn: c}).open()
		}
		known.open()
		fresh.open()
		if n := tr.Stats().Value("closed", sip.TCP, "gave way"); n != 1 {
			w.Errorf("%d gave way", n)
		}
	})
	for _, over := range []sip.Transport{sip.TCP, sip.TLS} {
		simulated(t, "S10 10,000 strangers over "+over.String(), func(w *world) {
			ca := newAuthority(t)
			cfg := Config{Limits: Limits{MaxConns: 8000}}
			var client *tls.Config
			if over == sip.TLS {
				client = ClientTLS("example.com", ca.pool)
				cfg.TLS, cfg.Listeners = TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}}, []Listener{{sip.TLS, w.server + ":0"}}
			}
			tr := w.start(cfg, &authenticator{})
			to := addr(w, tr, over)
			var known []*peer
			for range 50 {
				known = append(known, w.registers(to, client))
			}
			w.flood(to, 500, 20, nil)
			for range 50 {
				start := time.Now()
				known = append(known, w.registers(to, client))
				if d := time.Since(start); d > 50*time.Millisecond {
					w.Errorf("served after %v", d)
				}
			}
			for _, p := range known {
				p.open()
			}
			if n := tr.Stats().Value("refused", over, ""); n != 0 {
				w.Errorf("%d refused", n)
			}
			if n := tr.Stats().Value("connections", over, ""); n > 8000 {
				w.Errorf("%d are open", n)
			}
		})
	}
	simulated(t, "S10 an IPv6 customer is one", func(w *world) {
		w.server, w.client = "2001:db8:ffff::1", "2001:db8:eeee::1"
		tr := w.start(Config{Listeners: []Listener{{sip.TCP, "[" + w.server + "]:0"}}, Limits: Limits{MaxConnsPerSource: 10}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		for i := range 100 { // each from a /64 of its own
			c, err := w.net.Host(fmt.Sprintf("2001:db8:0:%x::1", i)).Dial(context.Background(), to.String())
			if err != nil {
				w.Fatal(err)
			}
			defer c.Close()
			synctest.Wait()
		}
		if n := tr.Stats().Value("connections", sip.TCP, ""); n != 20 {
			w.Errorf("%d of a /56, want 20", n)
		}
		for range 50 { // all from one
			w.dial(to)
			synctest.Wait()
		}
		if n := tr.Stats().Value("connections", sip.TCP, ""); n != 30 {
			w.Errorf("%d with a /64, want 30", n)
		}
	})
	simulated(t, "S10 one user has so many at the most", func(w *world) {
		h := handlerFunc(func(out *Out, in *Arrival) {
			out.Authenticated(in, []byte("example.com"), []byte("mallory"))
			out.Reply(in, in.Flow.Remote, []byte(request("TCP", "x", "")))
		})
		tr := w.start(Config{Limits: Limits{MaxConns: 100}}, h)
		to := addr(w, tr, sip.TCP)
		in := func() *peer {
			p := w.dial(to)
			p.send(request("TCP", "in", ""))
			p.message()
			return p
		}
		var mallory []*peer
		for range 100 {
			mallory = append(mallory, in())
		}
		if n := tr.Stats().Value("unauthenticated", sip.TCP, ""); n != 100-maxConnsPerUser {
			w.Errorf("%d count as strangers", n)
		}
		w.dial(to).open() // the oldest gives way
		mallory[0].closed()
		mallory[99].open()
		mallory[50].Close()
		mallory[99].Close()
		synctest.Wait()
		if a := &tr.admission; a.all.conns != 98 || len(a.users) != 1 {
			w.Errorf("%+v", a.all)
		}
	})
	simulated(t, "S10 a call of a stranger's does not make it known", func(w *world) {
		keep := &keeper{}
		tr := w.start(Config{Limits: Limits{MaxConns: 4}}, keep)
		keep.t = tr
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		w.flood(addr(w, tr, sip.TCP), 1, 1, nil)
		w.flood(addr(w, tr, sip.TCP), 1, 3, nil)
		if n := tr.Stats().Value("unauthenticated", sip.TCP, ""); n != 3 {
			w.Errorf("%d strangers", n)
		}
	})
	simulated(t, "S10 a connection of ours finds a place", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 10}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		for range 2 {
			w.registers(to, nil)
		}
		w.flood(to, 2, 10, nil)
		l, err := w.net.Host("192.0.2.103").Listen(5060)
		if err != nil {
			w.Fatal(err)
		}
		defer l.Close()
		f, err := tr.Open(sip.TCP, netip.MustParseAddrPort("192.0.2.103:5060"), "")
		if err != nil {
			w.Fatal(err)
		}
		if err := sendNow(tr, f, netip.AddrPort{}, []byte("x")); err != nil {
			w.Error(err)
		}
		c, err := l.Accept()
		if err != nil {
			w.Fatal(err)
		}
		defer c.Close()
	})
	simulated(t, "S10 the books are empty in the end", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 40, MaxConnsPerSource: 10}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		conns := w.flood(to, 7, 20, nil)
		for range 10 {
			conns = append(conns, w.registers(to, nil))
		}
		for _, c := range conns {
			c.Close()
		}
		time.Sleep(time.Minute)
		a := &tr.admission
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.all != (use{}) || len(a.sources) != 0 || a.strangers.count != 0 || len(a.users) != 0 || a.leaving != 0 {
			w.Errorf("%+v, %d sources, %d strangers, %d users, %d leaving", a.all, len(a.sources), a.strangers.count, len(a.users), a.leaving)
		}
		for _, s := range []string{"connections", "unauthenticated"} {
			if n := tr.Stats().Value(s, sip.TCP, ""); n != 0 {
				w.Errorf("%d %s", n, s)
			}
		}
	})
}
