package transport

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

func TestDescriptors(t *testing.T) {
	for _, c := range []struct{ descriptors, conns, fit int }{
		{0, 50_000, 50_000}, {1 << 20, 50_000, 50_000}, {65_536, 50_000, 50_000},
		{1024, 50_000, 672}, {256, 50_000, 112}, {2, 10, 1}, {1024, 100, 100},
	} {
		l := Limits{MaxConns: c.conns}
		second := l.fit(c.descriptors)
		if l.MaxConns != c.fit || second < 1 {
			t.Errorf("%d descriptors: %d of %d connections and %d more, want %d", c.descriptors, l.MaxConns, c.conns, second, c.fit)
		}
		if c.descriptors > 512 && l.MaxConns+second+reservedDescriptors > c.descriptors {
			t.Errorf("%d descriptors: %d connections and %d more leave too few", c.descriptors, l.MaxConns, second)
		}
		enough := Limits{MaxConns: c.conns}
		if enough.fit(wantedDescriptors(c.conns)); enough.MaxConns != c.conns {
			t.Errorf("with %d there are %d connections, want %d", wantedDescriptors(c.conns), enough.MaxConns, c.conns)
		}
	}
	t.Run("too few are said", func(t *testing.T) {
		var log bytes.Buffer
		start(t, Config{Limits: Limits{Descriptors: 1024}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, &answerer{})
		if s := log.String(); !strings.Contains(s, "LimitNOFILE") || !strings.Contains(s, "needed=57399") || !strings.Contains(s, "allowed=672") {
			t.Errorf("the log: %s", s)
		}
	})
	t.Run("enough are not", func(t *testing.T) {
		var log bytes.Buffer
		start(t, Config{Limits: Limits{Descriptors: 65_536}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, &answerer{})
		if log.Len() > 0 {
			t.Errorf("the log: %s", log.String())
		}
	})
	// On the system's sockets, a peer that does not read takes a second one.
	t.Run("peers that do not read", func(t *testing.T) {
		noLeak(t)
		w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
		h := &authenticator{}
		tr := w.start(Config{Limits: Limits{Descriptors: 516, WriteQueue: 16 << 20, MaxQueued: 1 << 30}}, h) // 258 are reserved, 32 are for second ones
		to := addr(w, tr, sip.TCP)
		large := bytes.Repeat([]byte("x"), 8<<20)
		const peers = 40
		var conns []*peer
		for range peers {
			p := w.dial(to)
			p.send(request("TCP", "in", ""))
			p.status()
			conns = append(conns, p)
		}
		for _, in := range h.seen() {
			_ = sendNow(tr, in.Flow, netip.AddrPort{}, large)
		}
		w.eventually("those without a second one are closed", func() bool {
			return tr.Stats().Value("closed", sip.TCP, "does not read, and no file descriptor is left") == peers-uint64(tr.mostSeconds)
		})
		for _, p := range conns {
			p.Close()
		}
		w.eventually("all are given back", func() bool {
			return tr.Stats().Value("connections", sip.TCP, "") == 0 && tr.seconds.Load() == 0
		})
	})
	// The system has no descriptor for a new connection: strangers give way.
	t.Run("none is left for a new one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := &world{T: t, net: nil}
			_ = w
			tr, err := New(Config{}, &answerer{})
			if err != nil {
				t.Fatal(err)
			}
			near, far := net.Pipe()
			defer far.Close()
			tr.accept(near, sip.TCP)
			l := &listener{Listener: &full{}, t: tr, transport: sip.TCP}
			done := make(chan struct{})
			go func() { l.serve(); close(done) }()
			time.Sleep(20 * time.Second)
			if n := tr.Stats().Value("accept errors", sip.TCP, ""); n < 12 || n > 30 {
				t.Errorf("%d errors in 20 s", n)
			}
			if n := tr.Stats().Value("closed", sip.TCP, "gave way"); n != 1 {
				t.Errorf("%d gave way", n)
			}
			shutdown(t, tr)
			<-done
		})
	})
}

// full is a listener that is out of descriptors.
type full struct{}

func (full) Accept() (net.Conn, error) {
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
}
func (full) Close() error   { return nil }
func (full) Addr() net.Addr { return &net.TCPAddr{} }
