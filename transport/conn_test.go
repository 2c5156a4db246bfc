package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
)

// simulated runs a test in virtual time.
func simulated(t *testing.T, row string, test func(w *world)) {
	t.Run(row, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(&world{T: t, net: siptest.NewNetwork(), server: "192.0.2.222", client: "192.0.2.101"})
		})
	})
}

// lifetime returns how long the server leaves p open from now on, if nothing is sent.
func (p *peer) lifetime() time.Duration {
	p.Helper()
	start := time.Now()
	p.SetReadDeadline(start.Add(1000 * time.Hour))
	if n, err := p.Read(make([]byte, 1)); n != 0 || isTimeout(err) {
		p.Errorf("read %d bytes, %v", n, err)
	}
	return time.Since(start)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// authenticator authenticates whatever it is sent.
type authenticator struct{ answerer }

func (a *authenticator) Receive(out *Out, in *Arrival) {
	out.Authenticated(in, nil, nil)
	a.answerer.Receive(out, in)
}

func TestDeadlines(t *testing.T) {
	simulated(t, "TP-009", func(w *world) {
		tr := w.start(Config{Limits: Limits{Idle: time.Minute, Unauthenticated: time.Second}}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		time.Sleep(time.Second / 2)
		p.send(request("TCP", "once", ""))
		p.status()
		if d := p.lifetime(); d != transactionLife {
			w.Errorf("open for %v after the last message, want %v", d, transactionLife)
		}
	})
	simulated(t, "not authenticated", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		if d := w.dial(addr(w, tr, sip.TCP)).lifetime(); d != DefaultUnauthenticated {
			w.Errorf("a silent one was open for %v, want %v", d, DefaultUnauthenticated)
		}
		// Messages do not put it off for ever.
		start := time.Now()
		p := w.dial(addr(w, tr, sip.TCP))
		var err error
		for err == nil {
			_, err = p.Write([]byte(request("TCP", "again", "")))
			time.Sleep(10 * time.Second)
		}
		if d := time.Since(start); d < DefaultUnauthenticated || d > DefaultUnauthenticated+transactionLife+20*time.Second {
			w.Errorf("one that goes on was open for %v", d)
		}
		w.eventually("both counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "not authenticated") == 2 })
	})
	simulated(t, "kept", func(w *world) {
		keep := &keeper{}
		tr := w.start(Config{}, keep)
		keep.t = tr
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		if d := p.lifetime(); d != DefaultIdle {
			w.Errorf("open for %v, want %v", d, DefaultIdle)
		}
	})
	simulated(t, "idle", func(w *world) {
		tr := w.start(Config{}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		for range 10 {
			time.Sleep(DefaultIdle - time.Second)
			p.open() // a ping is a sign of life
		}
		if d := p.lifetime(); d != DefaultIdle {
			w.Errorf("open for %v, want %v", d, DefaultIdle)
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "idle") == 1 })
	})
	simulated(t, "unfinished message", func(w *world) {
		tr := w.start(Config{}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		start := time.Now()
		var err error
		for _, b := range []byte(strings.Repeat(request("TCP", "slow", "")[:100], 10)) {
			if _, err = p.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if d := time.Since(start); err == nil || d < DefaultMessage || d > DefaultMessage+2*time.Second {
			w.Errorf("%v after %v, want it cut after %v", err, d, DefaultMessage)
		}
		if n := tr.Stats().Value("closed", sip.TCP, "unfinished message"); n != 1 {
			w.Errorf("%d counted", n)
		}
	})
	simulated(t, "does not read", func(w *world) {
		h := &authenticator{}
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		start := time.Now()
		var err error
		for err == nil { // the window fills, then ours: the server stops reading, and cuts
			_, err = p.Write([]byte(strings.Repeat(request("TCP", "flood", ""), 100)))
		}
		if d := time.Since(start); d != DefaultWrite {
			w.Errorf("cut after %v, want %v", d, DefaultWrite)
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "does not read") == 1 })
	})
}

func TestLimits(t *testing.T) {
	in := func(p *peer) *peer { // it is authenticated
		p.send(request("TCP", "in", ""))
		p.status()
		return p
	}
	worlds(t, "connections", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 2}}, &authenticator{})
		a, b := in(w.dial(addr(w, tr, sip.TCP))), in(w.dial(addr(w, tr, sip.TCP)))
		w.dial(addr(w, tr, sip.TCP)).closed()
		if n := tr.Stats().Value("refused", sip.TCP, "connections"); n != 1 {
			w.Errorf("%d refused", n)
		}
		b.open()
		a.Close()
		w.eventually("the first is gone", func() bool { return tr.Stats().Value("connections", sip.TCP, "") == 1 })
		w.dial(addr(w, tr, sip.TCP)).open()
	})
	worlds(t, "connections of a source", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConnsPerSource: 1}}, &authenticator{})
		a := in(w.dial(addr(w, tr, sip.TCP)))
		w.dial(addr(w, tr, sip.TCP)).closed()
		if n := tr.Stats().Value("refused", sip.TCP, "connections of a source"); n != 1 {
			w.Errorf("%d refused", n)
		}
		if w.net != nil {
			w.client = "192.0.2.102"
			w.dial(addr(w, tr, sip.TCP)).open()
		}
		a.Close()
		w.eventually("all are gone", func() bool {
			tr.admission.mu.Lock()
			defer tr.admission.mu.Unlock()
			return len(tr.admission.sources) <= 1 && tr.admission.all.conns <= 1
		})
	})
	worlds(t, "memory for unfinished messages", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxUnfinished: 64 << 10}}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		go p.Write([]byte(request("TCP", "large", strings.Repeat("x", 200<<10))))
		p.closed()
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "memory for unfinished messages") == 1 })
		if n := tr.unfinished.used(); n != 0 {
			w.Errorf("%d bytes are still charged", n)
		}
	})
	worlds(t, "write queue", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{Limits: Limits{WriteQueue: 10_000}}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "flow", ""))
		p.status()
		f := h.seen()[0].Flow
		var err error
		for i := 0; err == nil && i < 100_000; i++ {
			err = tr.Send(f, netip.AddrPort{}, make([]byte, 1000))
		}
		if err != ErrFull {
			w.Errorf("Send: %v, want %v", err, ErrFull)
		}
		w.eventually("cut off", func() bool { return tr.Stats().Value("closed", sip.TCP, "queue full") == 1 })
		if err := tr.Send(f, netip.AddrPort{}, []byte("x")); err != ErrGone {
			w.Errorf("Send afterwards: %v, want %v", err, ErrGone)
		}
	})
}

// When the answer is ready later.
func TestDeferred(t *testing.T) {
	type later struct {
		in Arrival
		to netip.AddrPort
		b  []byte
	}
	deferring := func() (*answerer, chan later) {
		ch := make(chan later, 10)
		return &answerer{deferred: func(in Arrival, to netip.AddrPort, b []byte) { ch <- later{in, to, b} }}, ch
	}
	worlds(t, "TP-013", func(w *world) {
		h, ch := deferring()
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "same", ""))
		l := <-ch
		if err := sendNow(tr, l.in.Flow, l.to, l.b); err != nil {
			w.Fatal(err)
		}
		if got := p.status(); got != "200 same" {
			w.Errorf("got %s", got)
		}
		if n := tr.Stats().Value("opened", sip.TCP, ""); n != 0 {
			w.Errorf("%d connections opened", n)
		}
	})
	worlds(t, "TP-014", func(w *world) {
		h, ch := deferring()
		var closed atomic.Int32
		tr := w.start(Config{Closed: func(sip.Flow) { closed.Add(1) }}, h)
		var ln net.Listener
		var err error
		if w.net != nil {
			ln, err = w.net.Host(w.client).Listen(0)
		} else {
			ln, err = net.Listen("tcp", w.client+":0")
		}
		if err != nil {
			w.Fatal(err)
		}
		defer ln.Close()
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "one", "") + request("TCP", "two", "") + request("TCP", "three", ""))
		answers := []later{<-ch, <-ch, <-ch}
		p.Close()
		w.eventually("closed", func() bool { return closed.Load() == 1 })
		sentBy := addrPort(ln.Addr())
		for _, l := range answers[:2] {
			if err := sendNow(tr, l.in.Flow, sentBy, l.b); err != nil {
				w.Fatal(err)
			}
		}
		nc, err := ln.Accept()
		if err != nil {
			w.Fatal(err)
		}
		defer nc.Close()
		q := &peer{T: w.T, Conn: nc}
		if a, b := q.status(), q.status(); a != "200 one" || b != "200 two" {
			w.Errorf("got %s, %s", a, b)
		}
		// The connection is there for more, from either side.
		if err := sendNow(tr, answers[2].in.Flow, sentBy, answers[2].b); err != nil {
			w.Fatal(err)
		}
		if got := q.status(); got != "200 three" {
			w.Errorf("got %s", got)
		}
		q.open()
		if n := tr.Stats().Value("opened", sip.TCP, ""); n != 1 {
			w.Errorf("%d connections opened, want 1", n)
		}
		q.Close()
		w.eventually("both closed", func() bool { return closed.Load() == 2 })
		if len(tr.dials.to) != 0 {
			w.Error("a dialled connection is still on the list")
		}
	})
	worlds(t, "T10", func(w *world) {
		h, ch := deferring()
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "gone", ""))
		l := <-ch
		p.Close()
		w.eventually("closed", func() bool { return tr.Stats().Value("connections", sip.TCP, "") == 0 })
		// Nobody listens at sent-by.
		nowhere := w.packetConn()
		if err := sendNow(tr, l.in.Flow, addrPort(nowhere.LocalAddr()), l.b); err != nil && err != ErrGone {
			w.Errorf("Send: %v", err)
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("unsent", sip.TCP, "unreachable") == 1 })
		if err := tr.Send(l.in.Flow, netip.AddrPort{}, l.b); err != ErrGone {
			w.Errorf("Send to no address: %v, want %v", err, ErrGone)
		}
		l.in.Flow.Transport = sip.TLS
		if err := tr.Send(l.in.Flow, l.to, l.b); err != ErrGone {
			w.Errorf("Send over TLS: %v, want %v", err, ErrGone)
		}
		q := w.dial(addr(w, tr, sip.TCP))
		q.send(request("TCP", "next", ""))
		l = <-ch
		if err := sendNow(tr, l.in.Flow, l.to, l.b); err != nil || q.status() != "200 next" {
			w.Errorf("the next one: %v", err)
		}
	})
	simulated(t, "dials are bounded", func(w *world) {
		w.net.SetLink(siptest.Link{Latency: time.Second})
		tr := w.start(Config{Limits: Limits{MaxDials: 2, WriteQueue: 100}}, &answerer{})
		f := sip.Flow{Transport: sip.TCP, Local: addr(w, tr, sip.TCP), Remote: netip.MustParseAddrPort("192.0.2.101:49152"), Serial: 1}
		to := func(n byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, n}), 5060) }
		for _, c := range []struct {
			to   byte
			size int
			want error
		}{{1, 60, nil}, {1, 40, nil}, {1, 1, ErrFull}, {2, 1, nil}, {3, 1, ErrFull}} {
			if err := tr.Send(f, to(c.to), make([]byte, c.size)); err != c.want {
				w.Errorf("%d bytes to %d: %v, want %v", c.size, c.to, err, c.want)
			}
		}
		w.eventually("given up", func() bool { return tr.Stats().Value("unsent", sip.TCP, "unreachable") == 3 })
		if err := tr.Send(f, to(3), []byte("x")); err != nil {
			w.Errorf("later: %v", err)
		}
	})
}

func TestShutdown(t *testing.T) {
	worlds(t, "drains", func(w *world) {
		entered, release := make(chan struct{}), make(chan struct{})
		h := handlerFunc(func(out *Out, in *Arrival) {
			close(entered)
			<-release
			out.Reply(in, in.Flow.Remote, []byte("answer"))
		})
		tr := w.start(Config{}, h)
		c := w.packetConn()
		c.WriteTo([]byte("request"), net.UDPAddrFromAddrPort(addr(w, tr, sip.UDP)))
		<-entered
		p := w.dial(addr(w, tr, sip.TCP))
		p.open()
		stopped := make(chan error)
		go func() { stopped <- tr.Stop(context.Background()) }()
		close(release)
		if err := <-stopped; err != nil {
			w.Error(err)
		}
		if got, _ := receive(w, c); got != "answer" {
			w.Errorf("got %q", got)
		}
		// What was not ready can still leave, on both kinds.
		f := sip.Flow{Transport: sip.UDP, Local: addr(w, tr, sip.UDP)}
		if err := tr.Send(f, addrPort(c.LocalAddr()), []byte("late")); err != nil {
			w.Error(err)
		}
		tr.conns.each(func(conn *conn) { f = conn.flow })
		late := request("TCP", "late", strings.Repeat("x", 200<<10))
		if err := sendNow(tr, f, netip.AddrPort{}, []byte(late)); err != nil {
			w.Error(err)
		}
		go tr.Shutdown(context.Background())
		if got, _ := receive(w, c); got != "late" {
			w.Errorf("got %q", got)
		}
		if got := p.message(); got != late {
			w.Errorf("got %d bytes", len(got))
		}
		p.closed()
		if err := tr.Send(f, netip.MustParseAddrPort("192.0.2.1:5060"), []byte("x")); err != ErrClosed {
			w.Errorf("Send after it: %v, want %v", err, ErrClosed)
		}
	})
	worlds(t, "forces", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "flow", ""))
		p.status()
		for range 20 { // p does not read
			_ = sendNow(tr, h.seen()[0].Flow, netip.AddrPort{}, make([]byte, 200<<10))
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		if err := tr.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) && tr.Stats().Value("closed", sip.TCP, "queue full") == 0 {
			w.Errorf("Shutdown: %v", err)
		}
	})
	t.Run("before Serve", func(t *testing.T) {
		noLeak(t)
		tr, err := New(Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}, {sip.TCP, "127.0.0.1:0"}}}, &answerer{})
		if err == nil {
			err = tr.Listen()
		}
		if err != nil {
			t.Fatal(err)
		}
		shutdown(t, tr)
		if err := tr.Serve(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// keeper answers, and keeps the connection a while later, as a server does whose answer takes its time.
type keeper struct {
	answerer
	t *Transport
}

func (k *keeper) Receive(out *Out, in *Arrival) {
	k.answerer.Receive(out, in)
	flow := in.Flow
	time.AfterFunc(DefaultUnauthenticated/2, func() { k.t.Keep(flow) })
}
