//go:build !race

package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/sip"
)

// peak is the most memory that the process has while work runs, above what it had before: of the heap with its garbage.
func peak(t *testing.T, work func()) int {
	t.Helper()
	heap := func() int {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapInuse)
	}
	runtime.GC()
	runtime.GC()
	before, most := heap(), 0
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				most = max(most, heap())
			}
		}
	}()
	work()
	close(done)
	<-ended
	return max(most, heap()) - before
}

// nowhere is a network that takes its time.
func nowhere(ctx context.Context, _, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Each limit is filled, and holds what it says.
func TestFill(t *testing.T) {
	const limit = 64 << 20
	const slack = 16 << 20 // for pools, and what the collector has not come by yet
	const ends = 4 << 10   // for the two ends of a connection that hold nothing
	check := func(t *testing.T, what string, got, want, conns int) {
		t.Helper()
		t.Logf("%s: %d KiB, the limit is %d KiB", what, got>>10, want>>10)
		if got > want+want/4+slack+conns*ends {
			t.Errorf("%s: %d KiB, want %d KiB at the most", what, got>>10, want>>10)
		}
	}
	for _, c := range []struct {
		name  string
		known bool
		most  int
		body  int // that is announced, all but a byte of which is sent
		head  int // of what never ends, instead
		n     int
	}{
		{"unfinished bodies of the authenticated", true, limit - limit/strangersShare, 250 << 10, 0, 400},
		{"unfinished bodies of strangers", false, limit / strangersShare, 250 << 10, 0, 200},
		{"unfinished heads of strangers", false, limit / strangersShare, 0, 31 << 10, 1000},
		{"bodies of one byte", false, limit / strangersShare, 2, 0, 3000},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
			tr := w.start(Config{Limits: Limits{MaxUnfinished: limit}}, &authenticator{})
			if !c.known {
				tr = w.start(Config{Limits: Limits{MaxUnfinished: limit}}, &answerer{})
			}
			to := addr(w, tr, sip.TCP)
			message := []byte(request("TCP", "x", strings.Repeat("x", c.body)))
			message = message[:len(message)-1]
			if c.head > 0 {
				message = []byte(strings.TrimSuffix(request("TCP", "x", ""), "\r\n") + "X: " + strings.Repeat("x", c.head-500))
			}
			answer := make([]byte, 1000)
			got := peak(t, func() {
				var all sync.WaitGroup
				for i := range c.n {
					p := w.dial(to)
					if c.known {
						p.send(request("TCP", "in", ""))
						_, _ = p.Read(answer)
					}
					all.Go(func() { _, _ = p.Write(message) })
					if i%50 == 49 {
						all.Wait()
					}
				}
				all.Wait()
				time.Sleep(50 * time.Millisecond)
			})
			check(t, c.name, got, c.most, c.n)
			if n := tr.unfinished.used(); n > c.most || n < c.most/2 {
				t.Errorf("%d KiB are charged of %d", n>>10, c.most>>10)
			}
			if n := tr.Stats().Value("closed", sip.TCP, "memory for unfinished messages"); n == 0 {
				t.Error("nobody gave way")
			}
			// One more is served whatever is there.
			q := w.dial(to)
			large := request("TCP", "large", strings.Repeat("y", 200<<10))
			go q.Write([]byte(large))
			if got := q.status(); got != "200 large" {
				t.Errorf("got %s", got)
			}
		})
	}
	t.Run("what waits for connections that are being opened", func(t *testing.T) {
		w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
		tr := w.start(Config{Limits: Limits{MaxQueued: limit}, Dial: nowhere}, &answerer{})
		message := []byte(request("TCP", "x", strings.Repeat("x", 1000)))
		got := peak(t, func() {
			for i := range 500 {
				f, err := tr.Open(sip.TCP, netip.MustParseAddrPort(fmt.Sprintf("127.1.%d.%d:5060", i>>8, i&255)), "")
				if err != nil {
					continue
				}
				for range 200 {
					_ = tr.Send(f, f.Remote, message)
				}
			}
		})
		check(t, "dials", got, limit-limit/strangersShare, 500)
		if n := tr.Stats().Value("unsent", sip.TCP, "unreachable"); n == 0 {
			t.Error("nobody gave way")
		}
		tr.conns.each(func(c *conn) { c.cut(closedShutdown) })
	})
	t.Run("what waits for peers that do not read", func(t *testing.T) {
		w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
		h := &authenticator{}
		tr := w.start(Config{Limits: Limits{MaxQueued: limit, WriteQueue: 1 << 20}}, h)
		for range 150 {
			p := w.dial(addr(w, tr, sip.TCP))
			p.send(request("TCP", "in", ""))
			p.status()
		}
		message := []byte(request("TCP", "x", strings.Repeat("x", 10_000)))
		got := peak(t, func() {
			for _, in := range h.seen() {
				for range 700 { // the system takes some
					_ = sendNow(tr, in.Flow, netip.AddrPort{}, message)
				}
			}
		})
		check(t, "write queues", got, limit-limit/strangersShare, 150)
		if n := tr.queued.used(); n > limit-limit/strangersShare {
			t.Errorf("%d are charged", n)
		}
	})
}
