package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"biloxi/sip"
)

// Connections come and go while others send to them, certificates are replaced and counts are read; then
// all is shut down under way. Each connection is reported closed once.
func TestConcurrentUse(t *testing.T) {
	ca := newAuthority(t)
	certs := []tls.Certificate{ca.issue(t, nil, "example.com")}
	noLeak(t)
	var flows sync.Map
	var opened, closed atomic.Int32
	h := handlerFunc(func(out *Out, in *Arrival) {
		if _, known := flows.LoadOrStore(in.Flow, true); !known && in.Flow.Serial != 0 {
			opened.Add(1)
		}
		out.Reply(in, in.Flow.Remote, append(out.Buffer(), in.Data...))
	})
	secure := TLSConfig{Certificates: certs, RootCAs: ca.pool}
	var undelivered, taken, arrived atomic.Int32
	cfg := Config{TLS: secure, Undelivered: func(sip.Flow, []byte, error) { undelivered.Add(1) }, Closed: func(f sip.Flow) {
		if _, known := flows.LoadAndDelete(f); known {
			closed.Add(1)
		}
	}}
	cfg.Listeners = []Listener{{sip.UDP, "127.0.0.1:0"}, {sip.TCP, "127.0.0.1:0"}, {sip.TLS, "127.0.0.1:0"}}
	tr := start(t, cfg, h)
	// A next hop, whose connections are cut at random, by either end.
	hop := start(t, Config{TLS: secure, Listeners: cfg.Listeners}, handlerFunc(func(*Out, *Arrival) { arrived.Add(1) }))
	stop := make(chan struct{})
	var all sync.WaitGroup
	loop := func(fn func(i int)) {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					fn(i)
				}
			}
		})
	}
	message := []byte(request("TCP", "race", "body"))
	for _, transport := range []sip.Transport{sip.TCP, sip.TLS} {
		to := addr(t, tr, transport).String()
		for range 4 {
			loop(func(i int) {
				c, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer c.Close()
				c.SetDeadline(time.Now().Add(patience))
				if transport == sip.TLS {
					c = tls.Client(c, ClientTLS("example.com", ca.pool))
				}
				for range i % 5 {
					if _, err := c.Write(message); err != nil {
						return
					}
					io.ReadFull(c, make([]byte, len(message)))
				}
			})
		}
	}
	for range 2 {
		loop(func(i int) {
			flows.Range(func(f, _ any) bool {
				_ = tr.Send(f.(sip.Flow), f.(sip.Flow).Remote, message)
				return true
			})
			tr.Flush()
			_ = tr.Stats()
		})
	}
	for _, to := range hop.Addrs() {
		for range 2 {
			loop(func(i int) {
				f, err := tr.Open(to.Transport, to.Local, "example.com")
				if err != nil {
					return
				}
				for range i % 7 {
					if tr.Send(f, f.Remote, message) == nil {
						taken.Add(1)
					}
				}
				tr.Flush()
				if i%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			})
		}
	}
	loop(func(int) {
		time.Sleep(3 * time.Millisecond)
		for _, end := range []*Transport{tr, hop} {
			end.conns.each(func(c *conn) {
				if c.flow.Serial%3 == 0 {
					c.cut(closedPeer)
				}
			})
		}
	})
	udp := (&world{T: t, client: "127.0.0.1"}).packetConn()
	loop(func(int) {
		udp.WriteTo(message, net.UDPAddrFromAddrPort(addr(t, tr, sip.UDP)))
		time.Sleep(time.Millisecond)
	})
	loop(func(int) {
		if err := tr.SetTLS(secure); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Millisecond)
	})
	time.Sleep(300 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_ = tr.Shutdown(ctx) // in time or not, all must end
	close(stop)
	all.Wait()
	tr.all.Wait()
	if o, c := opened.Load(), closed.Load(); o == 0 || o != c {
		t.Errorf("%d connections sent something, %d were reported closed", o, c)
	}
	if n := tr.unfinished.used(); n != 0 {
		t.Errorf("%d bytes are still charged", n)
	}
	if arrived.Load() == 0 || undelivered.Load() == 0 {
		t.Errorf("%d sent to the next hop, %d arrived, %d told of", taken.Load(), arrived.Load(), undelivered.Load())
	}
	if u := tr.admission.all; u.conns != 0 || u.ours != 0 || u.opening != 0 || len(tr.admission.sources) != 0 || len(tr.dials.to) != 0 {
		t.Errorf("still on the books: %+v", u)
	}
	t.Logf("%d sent to the next hop, %d arrived, %d told of", taken.Load(), arrived.Load(), undelivered.Load())
}

// The log has a line a second for each reason, however many are refused.
func TestNotices(t *testing.T) {
	simulated(t, "a line a second", func(w *world) {
		var log bytes.Buffer
		tr := w.start(Config{Limits: Limits{MaxConnsPerSource: 1}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, &authenticator{})
		first := w.dial(addr(w, tr, sip.TCP))
		first.send(request("TCP", "in", ""))
		first.status()
		for range 3 {
			for range 100 {
				w.dial(addr(w, tr, sip.TCP)).closed()
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "connections of a source"); n != 3 {
			w.Errorf("%d lines:\n%s", n, log.String())
		}
		if n := tr.Stats().Value("refused", sip.TCP, ""); n != 300 {
			w.Errorf("%d refused", n)
		}
	})
}

// A flow whose serial is that of another connection, one of an earlier life say, reaches nobody.
func TestSerialOfAnother(t *testing.T) {
	worlds(t, "other addresses", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "flow", ""))
		p.status()
		f := h.seen()[0].Flow
		f.Remote = netip.AddrPortFrom(f.Remote.Addr(), 1)
		if err := tr.Send(f, netip.AddrPort{}, []byte("x")); err != ErrGone {
			w.Errorf("Send: %v, want %v", err, ErrGone)
		}
		p.open()
	})
}
