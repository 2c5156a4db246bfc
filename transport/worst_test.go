//go:build !race

package transport

import (
	"crypto/tls"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"biloxi/sip"
)

// What a peer can make a TLS connection of its own cost at each of its ages, its own end included.
func TestWorstTLSMemory(t *testing.T) {
	ca := newAuthority(t)
	answer := []byte("SIP/2.0 200 OK\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n")
	cfg := Config{TLS: TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}}, Listeners: []Listener{{sip.TLS, "127.0.0.1:0"}}}
	tr := start(t, cfg, handlerFunc(func(out *Out, in *Arrival) { out.Reply(in, in.Flow.Remote, answer) }))
	w := &world{T: t}
	const n = 300
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	measure := func() int {
		var m runtime.MemStats
		for range 3 {
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc + m.StackInuse)
	}
	first := hello(t)
	open := uint64(0)
	for _, c := range []struct {
		name string
		most int
		do   func(nc net.Conn)
		done func() bool
	}{
		{"silent", 6 << 10, func(net.Conn) {}, func() bool { return tr.Stats().Value("connections", sip.TLS, "") == open }},
		{"has begun a handshake", 34 << 10, func(nc net.Conn) { nc.Write(first) }, func() bool {
			tr.admission.mu.Lock()
			defer tr.admission.mu.Unlock()
			return tr.admission.handshakes.count == n
		}},
		{"has sent records of the largest size", 36 << 10, func(nc net.Conn) {
			p := &peer{T: t, Conn: tls.Client(nc, ClientTLS("example.com", ca.pool))}
			m := request("TCP", "large", strings.Repeat("x", 60_000))
			p.send(m[:200]) // TLS begins with small records
			p.send(m[200:])
			p.status()
		}, func() bool { return true }},
	} {
		before := measure()
		ends := make([]net.Conn, n)
		for i := range ends {
			nc, err := net.Dial("tcp", addr(t, tr, sip.TLS).String())
			if err != nil {
				t.Fatal(err)
			}
			ends[i] = nc
			open++
			c.do(nc)
		}
		w.eventually(c.name, c.done)
		each := (measure() - before) / n
		t.Logf("one that %s: %d bytes", c.name, each)
		if each > c.most {
			t.Errorf("one that %s costs %d bytes, want %d at the most", c.name, each, c.most)
		}
		for _, nc := range ends {
			nc.Close()
		}
		w.eventually("closed", func() bool { return tr.Stats().Value("connections", sip.TLS, "") == 0 })
		open = 0
	}
}
