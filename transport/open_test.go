package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
)

// lost keeps what Undelivered tells.
type lost struct {
	mu       sync.Mutex
	messages []string
	flows    []sip.Flow
	errs     []error
}

func (l *lost) tell(f sip.Flow, b []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages, l.flows, l.errs = append(l.messages, string(b)), append(l.flows, f), append(l.errs, err)
}

func (l *lost) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.messages)
}

// last returns what was told last.
func (l *lost) last() (sip.Flow, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.messages) - 1
	return l.flows[n], l.messages[n], l.errs[n]
}

// nextHop is a listener that the server connects to.
type nextHop struct {
	net.Listener
	w *world
}

func (w *world) nextHop() *nextHop {
	w.Helper()
	var l net.Listener
	var err error
	if w.net != nil {
		l, err = w.net.Host(w.client).Listen(0)
	} else {
		l, err = net.Listen("tcp", w.client+":0")
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	return &nextHop{l, w}
}

func (h *nextHop) addr() netip.AddrPort { return addrPort(h.Addr()) }

// accept is the next connection.
func (h *nextHop) accept() *peer {
	h.w.Helper()
	c, err := h.Accept()
	if err != nil {
		h.w.Fatal(err)
	}
	h.w.Cleanup(func() { c.Close() })
	return &peer{T: h.w.T, Conn: c}
}

func (w *world) mustOpen(tr *Transport, transport sip.Transport, to netip.AddrPort, name string) sip.Flow {
	w.Helper()
	f, err := tr.Open(transport, to, name)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *world) mustSend(tr *Transport, f sip.Flow, b string) {
	w.Helper()
	if err := sendNow(tr, f, netip.AddrPort{}, []byte(b)); err != nil {
		w.Fatal(err)
	}
}

func TestOpenStream(t *testing.T) {
	worlds(t, "TP-008", func(w *world) {
		h, gone := &answerer{}, &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, h)
		hop := w.nextHop()
		f := w.mustOpen(tr, sip.TCP, hop.addr(), "")
		if f.Transport != sip.TCP || f.Remote != hop.addr() || f.Serial == 0 || f.Local.Addr().String() != w.server {
			w.Errorf("flow %+v", f)
		}
		w.mustSend(tr, f, request("TCP", "one", ""))
		p := hop.accept()
		if got := p.message(); got != request("TCP", "one", "") {
			w.Errorf("got %q", got)
		}
		again := w.mustOpen(tr, sip.TCP, hop.addr(), "a name means nothing on TCP")
		if again.Serial != f.Serial || again.Local != addrPort(p.RemoteAddr()) {
			w.Errorf("flow %+v, then %+v", f, again)
		}
		w.mustSend(tr, again, request("TCP", "two", ""))
		w.mustSend(tr, f, request("TCP", "three", ""))
		if a, b := p.message(), p.message(); a != request("TCP", "two", "") || b != request("TCP", "three", "") {
			w.Errorf("got %q, %q", a, b)
		}
		// It is read as any other: RFC 3261 §18 has requests come in on it too.
		p.send(request("TCP", "back", ""))
		if got := p.status(); got != "200 back" || h.seen()[0].Flow != again {
			w.Errorf("got %s on %+v", got, h.seen()[0].Flow)
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("sent", sip.TCP, "") == 4 })
		if n := tr.Stats().Value("opened", sip.TCP, ""); n != 1 || gone.count() != 0 || !tr.Alive(f) {
			w.Errorf("%d opened, %d lost", n, gone.count())
		}
		// The peer closes: what is sent next takes a new one.
		p.Close()
		w.eventually("closed", func() bool { return !tr.Alive(f) })
		if err := tr.Send(f, netip.AddrPort{}, []byte("x")); err != ErrGone {
			w.Errorf("Send to a flow that is gone: %v, want %v", err, ErrGone)
		}
		anew := w.mustOpen(tr, sip.TCP, hop.addr(), "")
		w.mustSend(tr, anew, request("TCP", "four", ""))
		if got := hop.accept().message(); got != request("TCP", "four", "") || anew.Serial == f.Serial {
			w.Errorf("got %q", got)
		}
	})
	simulated(t, "TP-008 two at once", func(w *world) {
		w.net.SetLink(siptest.Link{Latency: time.Second})
		gone := &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, &answerer{})
		hop := w.nextHop()
		a, b := w.mustOpen(tr, sip.TCP, hop.addr(), ""), w.mustOpen(tr, sip.TCP, hop.addr(), "")
		if a != b || !tr.Alive(a) || a.Local.Port() != 0 {
			w.Errorf("flows %+v and %+v", a, b)
		}
		start := time.Now()
		for i := range 10 {
			w.mustSend(tr, a, request("TCP", fmt.Sprint(i), ""))
		}
		if d := time.Since(start); d != 0 {
			w.Errorf("Send waited for %v", d)
		}
		p := hop.accept()
		for i := range 10 {
			if got := p.message(); got != request("TCP", fmt.Sprint(i), "") {
				w.Errorf("message %d: %q", i, got)
			}
		}
		if n := tr.Stats().Value("opened", sip.TCP, ""); n != 1 {
			w.Errorf("%d opened", n)
		}
	})
	simulated(t, "TP-009", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		hop := w.nextHop()
		w.mustSend(tr, w.mustOpen(tr, sip.TCP, hop.addr(), ""), request("TCP", "one", ""))
		p := hop.accept()
		p.message()
		if d := p.lifetime(); d != DefaultIdle { // it is ours: nobody must authenticate on it
			w.Errorf("open for %v, want %v", d, DefaultIdle)
		}
	})
	worlds(t, "TX-038", func(w *world) {
		gone := &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, &answerer{})
		hop := w.nextHop()
		hop.Close()
		var f sip.Flow
		err := ErrGone
		for err == ErrGone { // what is refused before Send is called has nothing to tell of
			f = w.mustOpen(tr, sip.TCP, hop.addr(), "")
			err = tr.Send(f, netip.AddrPort{}, []byte("one"))
		}
		w.eventually("told", func() bool { return gone.count() == 1 })
		if of, b, err := gone.last(); of.Serial != f.Serial || b != "one" || !errors.Is(err, syscall.ECONNREFUSED) {
			w.Errorf("told %+v, %q, %v", of, b, err)
		}
		if tr.Alive(f) || tr.Stats().Value("unsent", sip.TCP, "unreachable") != 1 {
			w.Error("still alive, or not counted")
		}
		w.eventually("off the books", func() bool {
			tr.admission.mu.Lock()
			defer tr.admission.mu.Unlock()
			u := tr.admission.all
			return len(tr.admission.sources) == 0 && u.conns == 0 && u.ours == 0 && u.opening == 0
		})
	})
	worlds(t, "no address", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		for _, to := range []string{"0.0.0.0:5060", "192.0.2.1:0", "224.0.0.1:5060", "255.255.255.255:5060"} {
			for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
				if _, err := tr.Open(transport, netip.MustParseAddrPort(to), ""); err != ErrTo {
					w.Errorf("%v to %s: %v, want %v", transport, to, err, ErrTo)
				}
			}
		}
		if _, err := tr.Open(sip.UDP, netip.MustParseAddrPort("[2001:db8::1]:5060"), ""); err != ErrFlow {
			w.Errorf("another family: %v, want %v", err, ErrFlow)
		}
		if _, err := tr.Open(sip.WS, netip.MustParseAddrPort("192.0.2.1:5060"), ""); err != ErrFlow {
			w.Errorf("WebSocket: %v, want %v", err, ErrFlow)
		}
	})
}

// blackHole is a Dial that nobody answers.
func blackHole(ctx context.Context, _, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDialLimits(t *testing.T) {
	to := func(n byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 5060) }
	hole := func(w *world, limits Limits, told func(sip.Flow, []byte, error)) *Transport {
		return start(w.T, Config{Listeners: w.listeners(), Limits: limits, Undelivered: told,
			ListenPacket: w.net.ListenPacket, ListenStream: w.net.Listen, Dial: blackHole}, &answerer{})
	}
	simulated(t, "nobody there", func(w *world) {
		gone := &lost{}
		tr := hole(w, Limits{WriteQueue: 100}, gone.tell)
		start := time.Now()
		f := w.mustOpen(tr, sip.TCP, to(1), "")
		w.mustSend(tr, f, strings.Repeat("a", 60))
		w.mustSend(tr, f, strings.Repeat("b", 40))
		if err := tr.Send(f, to(1), []byte("c")); err != ErrFull || !tr.Alive(f) {
			w.Errorf("over the queue: %v, want %v", err, ErrFull)
		}
		w.eventually("given up", func() bool { return gone.count() == 2 })
		if d := time.Since(start); d < DefaultDial || d > DefaultDial+time.Second {
			w.Errorf("given up after %v, want %v", d, DefaultDial)
		}
		if _, b, err := gone.last(); b != strings.Repeat("b", 40) || !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("told %q, %v", b, err)
		}
	})
	simulated(t, "dials", func(w *world) {
		tr := hole(w, Limits{MaxDials: 8}, nil)
		for i := range 8 {
			_, err := tr.Open(sip.TCP, netip.AddrPortFrom(to(1).Addr(), uint16(5060+i)), "")
			if want := map[bool]error{true: ErrFull}[i >= 8/dialShare]; err != want {
				w.Errorf("dial %d to one host: %v, want %v", i, err, want)
			}
		}
		for i := range 8 {
			_, err := tr.Open(sip.TCP, to(byte(10+i)), "")
			if want := map[bool]error{true: ErrFull}[i >= 8-8/dialShare]; err != want {
				w.Errorf("dial %d to another: %v, want %v", i, err, want)
			}
		}
		if n := tr.Stats().Value("refused", sip.TCP, "dials"); n != 8 {
			w.Errorf("%d refused", n)
		}
	})
	simulated(t, "connections", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 4, MaxConnsPerSource: 1}}, &answerer{})
		a := w.dial(addr(w, tr, sip.TCP)) // takes the place of its source
		a.open()
		hops := []*nextHop{w.nextHop(), w.nextHop()}
		w.mustSend(tr, w.mustOpen(tr, sip.TCP, hops[0].addr(), ""), "x")
		hops[0].accept()
		if _, err := tr.Open(sip.TCP, hops[1].addr(), ""); err != ErrFull {
			w.Errorf("a second one to the host: %v, want %v", err, ErrFull)
		}
		w.net.SetLink(siptest.Link{Latency: time.Second}) // that nobody is there is not known at once
		for i, want := range []error{nil, ErrFull} {      // half of all are ours
			if _, err := tr.Open(sip.TCP, to(byte(10+i)), ""); err != want {
				w.Errorf("the other half: %v, want %v", err, want)
			}
		}
		w.net.SetLink(siptest.Link{})
		a.open()
	})
}

func TestNextHopThatDoesNotRead(t *testing.T) {
	worlds(t, "T10", func(w *world) {
		gone := &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, &answerer{})
		deaf, hop := w.nextHop(), w.nextHop()
		f, g := w.mustOpen(tr, sip.TCP, deaf.addr(), ""), w.mustOpen(tr, sip.TCP, hop.addr(), "")
		silent := deaf.accept()
		w.eventually("open", func() bool { // until then the queue is full without harm
			c := tr.conns.find(f.Serial)
			c.mu.Lock()
			defer c.mu.Unlock()
			return !c.opening
		})
		message := request("TCP", "large", strings.Repeat("x", 10_000))
		sent := 0
		var err error
		for ; err == nil && sent < 10_000; sent++ {
			err = sendNow(tr, f, netip.AddrPort{}, []byte(message))
		}
		if err != ErrFull || tr.Alive(f) {
			w.Errorf("Send: %v, want %v", err, ErrFull)
		}
		w.mustSend(tr, g, message) // nobody else is held up
		if hop.accept().message() != message {
			w.Error("another next hop got something else")
		}
		w.eventually("told", func() bool { return gone.count() > 10 })
		if _, b, err := gone.last(); b != message || !errors.Is(err, ErrGone) || !strings.HasSuffix(err.Error(), "queue full") {
			w.Errorf("told %d bytes, %v", len(b), err)
		}
		silent.Close()
	})
	simulated(t, "in time", func(w *world) {
		gone := &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, &answerer{})
		deaf := w.nextHop()
		f := w.mustOpen(tr, sip.TCP, deaf.addr(), "")
		deaf.accept()
		message := request("TCP", "large", strings.Repeat("x", 10_000))
		for range 20 {
			w.mustSend(tr, f, message)
		}
		time.Sleep(DefaultWrite - time.Second)
		if gone.count() != 0 {
			w.Error("given up early")
		}
		time.Sleep(2 * time.Second)
		if _, b, err := gone.last(); b != message || !strings.HasSuffix(err.Error(), "does not read") {
			w.Errorf("told %d bytes, %v", len(b), err)
		}
	})
}

// What a Handler sends leaves at the end of the batch, without a Flush.
func TestSendInReceive(t *testing.T) {
	worlds(t, "from datagrams and streams", func(w *world) {
		var tr *Transport
		hop, far := w.nextHop(), w.packetConn()
		var stream, packets sip.Flow
		h := handlerFunc(func(out *Out, in *Arrival) {
			for i := range 3 {
				_ = tr.Send(stream, netip.AddrPort{}, fmt.Appendf(nil, "%s%d", in.Data, i))
			}
			_ = tr.Send(packets, packets.Remote, in.Data)
		})
		ready := make(chan struct{})
		tr = w.start(Config{}, handlerFunc(func(out *Out, in *Arrival) { <-ready; h(out, in) }))
		stream = w.mustOpen(tr, sip.TCP, hop.addr(), "")
		packets = w.mustOpen(tr, sip.UDP, addrPort(far.LocalAddr()), "")
		close(ready)
		next := hop.accept()
		near := w.packetConn()
		near.WriteTo([]byte("datagram"), net.UDPAddrFromAddrPort(addr(w, tr, sip.UDP)))
		w.want(next, "datagram0datagram1datagram2")
		if got, from := receive(w, far); got != "datagram" || from != packets.Local {
			w.Errorf("got %q from %v", got, from)
		}
		m := request("TCP", "stream", "")
		w.dial(addr(w, tr, sip.TCP)).send(m)
		w.want(next, m+"0"+m+"1"+m+"2")
		if got, _ := receive(w, far); got != m {
			w.Errorf("got %q", got)
		}
	})
}

// want reads just so many bytes.
func (w *world) want(p *peer, s string) {
	w.Helper()
	p.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, len(s))
	for n := 0; n < len(b); {
		k, err := p.Read(b[n:])
		if n += k; err != nil {
			w.Fatalf("read %q: %v", b[:n], err)
		}
	}
	if string(b) != s {
		w.Errorf("got %q, want %q", b, s)
	}
}

func TestShutdownWhileDialling(t *testing.T) {
	simulated(t, "what waits leaves", func(w *world) {
		w.net.SetLink(siptest.Link{Latency: time.Second})
		gone := &lost{}
		tr := w.start(Config{Undelivered: gone.tell}, &answerer{})
		hop := w.nextHop()
		f := w.mustOpen(tr, sip.TCP, hop.addr(), "")
		w.mustSend(tr, f, request("TCP", "late", ""))
		done := make(chan error)
		go func() { done <- tr.Shutdown(context.Background()) }()
		p := hop.accept()
		if got := p.message(); got != request("TCP", "late", "") || gone.count() != 0 {
			w.Errorf("got %q", got)
		}
		if err := <-done; err != nil {
			w.Error(err)
		}
		p.closed()
		if _, err := tr.Open(sip.TCP, hop.addr(), ""); err != ErrClosed {
			w.Errorf("Open after it: %v, want %v", err, ErrClosed)
		}
	})
	simulated(t, "forced", func(w *world) {
		gone := &lost{}
		cfg := Config{Listeners: w.listeners(), Undelivered: gone.tell, ListenPacket: w.net.ListenPacket, ListenStream: w.net.Listen, Dial: blackHole}
		tr := start(w.T, cfg, &answerer{})
		w.mustSend(tr, w.mustOpen(tr, sip.TCP, netip.MustParseAddrPort("192.0.2.1:5060"), ""), "x")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := tr.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			w.Errorf("Shutdown: %v after %v", err, time.Since(start))
		}
		if _, b, err := gone.last(); b != "x" || !strings.HasSuffix(err.Error(), "shutdown") {
			w.Errorf("told %q, %v", b, err)
		}
	})
	simulated(t, "Stop does not wait for it", func(w *world) {
		w.net.SetLink(siptest.Link{Latency: time.Second})
		tr := w.start(Config{}, &answerer{})
		hop := w.nextHop()
		w.mustSend(tr, w.mustOpen(tr, sip.TCP, hop.addr(), ""), "x")
		start := time.Now()
		if err := tr.Stop(context.Background()); err != nil || time.Since(start) != 0 {
			w.Errorf("Stop: %v after %v", err, time.Since(start))
		}
		synctest.Wait()
		w.want(hop.accept(), "x")
	})
}

// secureHop is a next hop that speaks TLS, with a certificate for names.
func (w *world) secureHop(ca *authority, names ...string) (*nextHop, *tls.Config) {
	return w.nextHop(), &tls.Config{Certificates: one(ca.issue(w.T, nil, names...))}
}

func TestOpenTLS(t *testing.T) {
	ca := newAuthority(t)
	worlds(t, "TL-001", func(w *world) {
		gone := &lost{}
		h := &answerer{}
		tr := w.start(Config{TLS: TLSConfig{RootCAs: ca.pool, Certificates: one(ca.issue(t, nil, "proxy.example.com"))}, Undelivered: gone.tell}, h)
		hop, cfg := w.secureHop(ca, "example.com")
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool
		for i := range 2 {
			f := w.mustOpen(tr, sip.TLS, hop.addr(), "Example.com")
			for k := range 3 {
				w.mustSend(tr, f, request("TLS", fmt.Sprint(k), ""))
			}
			raw := hop.accept()
			server := tls.Server(raw.Conn, cfg)
			p := &peer{T: w.T, Conn: server}
			for k := range 3 {
				if got := p.message(); got != request("TLS", fmt.Sprint(k), "") {
					w.Errorf("message %d: %q", k, got)
				}
			}
			state := server.ConnectionState()
			if state.ServerName != "example.com" || state.DidResume != (i == 1) || Identities(state.PeerCertificates[0])[0] != "proxy.example.com" {
				w.Errorf("connection %d: asked for %q, resumed: %v", i, state.ServerName, state.DidResume)
			}
			if again := w.mustOpen(tr, sip.TLS, hop.addr(), "example.com."); again.Serial != f.Serial {
				w.Error("a second connection for the same name")
			}
			p.send(request("TLS", "back", ""))
			if got := p.status(); got != "200 back" {
				w.Errorf("got %s", got)
			}
			seen := h.seen()
			if got := seen[len(seen)-1].PeerCertificate; len(got) != 1 || got[0] != "example.com" {
				w.Errorf("the peer is %q", got)
			}
			p.Close()
			w.eventually("closed", func() bool { return !tr.Alive(f) })
		}
		if gone.count() != 0 {
			w.Errorf("%d lost", gone.count())
		}
	})
	for row, names := range map[string][]string{
		"TL-004": {"example.net"}, "TL-005": {"*.example.com"}, "TL-007": {"sip:bob@sip.example.com"},
	} {
		worlds(t, row, func(w *world) {
			gone := &lost{}
			tr := w.start(Config{TLS: TLSConfig{RootCAs: ca.pool}, Undelivered: gone.tell}, &answerer{})
			hop, cfg := w.secureHop(ca, names...)
			f := w.mustOpen(tr, sip.TLS, hop.addr(), "sip.example.com")
			w.mustSend(tr, f, "secret")
			server := tls.Server(hop.accept().Conn, cfg)
			server.SetDeadline(time.Now().Add(patience))
			if n, err := server.Read(make([]byte, 100)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				w.Errorf("the other one read %d bytes, %v", n, err)
			}
			w.eventually("told", func() bool { return gone.count() == 1 })
			if _, b, err := gone.last(); b != "secret" || !strings.Contains(err.Error(), "not for sip.example.com") {
				w.Errorf("told %q, %v", b, err)
			}
			if tr.Alive(f) || tr.Stats().Value("closed", sip.TLS, "handshake") != 1 {
				w.Error("still alive, or not counted")
			}
		})
	}
	worlds(t, "an address", func(w *world) {
		tr := w.start(Config{TLS: TLSConfig{RootCAs: ca.pool}}, &answerer{})
		hop, cfg := w.secureHop(ca, w.client)
		w.mustSend(tr, w.mustOpen(tr, sip.TLS, hop.addr(), ""), request("TLS", "one", ""))
		p := &peer{T: w.T, Conn: tls.Server(hop.accept().Conn, cfg)}
		if got := p.message(); got != request("TLS", "one", "") {
			w.Errorf("got %q", got)
		}
	})
	simulated(t, "a handshake that does not end", func(w *world) {
		gone := &lost{}
		tr := w.start(Config{TLS: TLSConfig{RootCAs: ca.pool}, Undelivered: gone.tell}, &answerer{})
		hop := w.nextHop()
		start := time.Now()
		w.mustSend(tr, w.mustOpen(tr, sip.TLS, hop.addr(), "example.com"), "x")
		hop.accept()
		w.eventually("given up", func() bool { return gone.count() == 1 })
		if d := time.Since(start); d < DefaultHandshake || d > DefaultHandshake+time.Second {
			w.Errorf("given up after %v, want %v", d, DefaultHandshake)
		}
		if _, _, err := gone.last(); !errors.Is(err, os.ErrDeadlineExceeded) {
			w.Errorf("told %v", err)
		}
	})
}
