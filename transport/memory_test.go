//go:build !race

// The race detector allocates, has larger stacks, and empties pools at random.

package transport

import (
	"crypto/tls"
	"net"
	"runtime"
	"runtime/debug"
	"testing"

	"biloxi/sip"
)

// What an idle connection costs, on the heap and in goroutine stacks. That is of the whole process, so that
// the client's end is in it too: clientEnd allows for it.
func TestIdleMemory(t *testing.T) {
	ca := newAuthority(t)
	cfg := Config{TLS: TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}},
		Listeners: []Listener{{sip.TCP, "127.0.0.1:0"}, {sip.TLS, "127.0.0.1:0"}}}
	answer := &answerer{}
	tr := start(t, cfg, handlerFunc(func(out *Out, in *Arrival) {
		deep(20)
		answer.Receive(out, in)
	}))
	w := &world{T: t}
	const n = 500
	const clientEnd = 1 << 10
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection would shrink the stacks of those that wait
	measure := func() (heap, stack uint64) {
		var m runtime.MemStats
		for range 3 { // stacks shrink, and pools empty, a step at each
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.StackInuse
	}
	for _, c := range []struct {
		transport sip.Transport
		most      uint64
	}{{sip.TCP, 6 << 10}, {sip.TLS, 24 << 10}} {
		to := addr(t, tr, c.transport)
		heap, stack := measure()
		ends := make([]net.Conn, n)
		for i := range ends {
			nc, err := net.Dial("tcp", to.String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			p := &peer{T: t, Conn: nc}
			if c.transport == sip.TLS {
				p.Conn = tls.Client(nc, ClientTLS("example.com", ca.pool))
			}
			p.send(request("TCP", "warm", ""))
			p.status()
			ends[i] = nc // without the client's TLS state, which would be billed too
		}
		w.eventually("all are idle", func() bool { return tr.Stats().Value("connections", c.transport, "") == n })
		w.eventually("grown stacks are given back, without a collection", func() bool {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.StackInuse < stack+n*(6<<10)
		})
		heapNow, stackNow := measure()
		each := (heapNow - heap + stackNow - stack) / n
		t.Logf("%v: %d bytes per idle connection, %d of them stack", c.transport, each, (stackNow-stack)/n)
		if each > c.most+clientEnd {
			t.Errorf("%v: %d bytes per idle connection, want %d at the most", c.transport, each, c.most)
		}
		runtime.KeepAlive(ends)
	}
}

// deep needs so many times 512 bytes of stack, as a Handler that does something does.
//
//go:noinline
func deep(n int) (sum byte) {
	var frame [512]byte
	if n > 0 {
		frame[n] = deep(n - 1)
	}
	for _, b := range frame {
		sum += b
	}
	return sum
}

// Nothing is allocated for a datagram, nor for a message on a connection.
func TestNoAllocation(t *testing.T) {
	answer := []byte("answer")
	h := handlerFunc(func(out *Out, in *Arrival) {
		out.Reply(in, in.Flow.Remote, append(out.Buffer(), answer...))
	})
	tr := start(t, Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}, {sip.TCP, "127.0.0.1:0"}}}, h)
	w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
	c := w.packetConn().(*net.UDPConn)
	p := w.dial(addr(t, tr, sip.TCP))
	message, buf := []byte(request("UDP", "a", "")), make([]byte, 1000)
	to := addr(t, tr, sip.UDP)
	for name, one := range map[string]func(){
		"UDP": func() {
			c.WriteToUDPAddrPort(message, to)
			c.ReadFromUDPAddrPort(buf)
		},
		"TCP": func() {
			p.Write(message)
			p.Read(buf)
		},
	} {
		// AllocsPerRun would stop the other goroutines from running at the same time: what it counts is
		// what this process allocates, the server with it.
		const n = 2000
		one()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			one()
		}
		runtime.ReadMemStats(&after)
		if got := float64(after.Mallocs-before.Mallocs) / n; got > 0.1 {
			t.Errorf("%s: %.2f allocations per message", name, got)
		}
	}
}
