package transport

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"

	"biloxi/sip"
)

// A server that is fed garbage on all transports goes on, and keeps nothing of it.
func TestGarbage(t *testing.T) {
	ca := newAuthority(t)
	noLeak(t)
	w := &world{T: t, server: "127.0.0.1", client: "127.0.0.1"}
	cfg := Config{TLS: TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}}}
	cfg.Listeners = append(w.listeners(), Listener{sip.TLS, "127.0.0.1:0"})
	h := &answerer{}
	tr := start(t, cfg, h)
	random := rand.New(rand.NewPCG(1, 2))
	garbage := func() []byte {
		b := make([]byte, random.IntN(3000)+1)
		if random.IntN(2) == 0 { // a message with holes
			b = []byte(request("TCP", "garbage", "body"))
		}
		for range random.IntN(len(b)) + 1 {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		return b
	}
	c := w.packetConn()
	for i := range 300 {
		c.WriteTo(garbage(), net.UDPAddrFromAddrPort(addr(t, tr, sip.UDP)))
		for _, transport := range []sip.Transport{sip.TCP, sip.TLS} {
			p := w.dial(addr(t, tr, transport))
			p.Write(garbage())
			if i%2 == 0 {
				p.Conn.(*net.TCPConn).SetLinger(0)
			}
			p.Close()
		}
		if i%10 == 0 {
			p := w.secure(addr(t, tr, sip.TLS), ClientTLS("example.com", ca.pool))
			p.Write(garbage())
			p.Close()
		}
	}
	w.eventually("all connections are gone", func() bool { return tr.Stats().Value("connections", 0, "") == 0 })
	p := w.secure(addr(t, tr, sip.TLS), ClientTLS("example.com", ca.pool))
	p.send(request("TLS", "after", ""))
	if got := p.status(); got != "200 after" {
		t.Errorf("TLS: got %s", got)
	}
	if n := tr.unfinished.Load(); n != 0 {
		t.Errorf("%d bytes are still charged", n)
	}
	if n := len(tr.admission.sources); n != 1 {
		t.Errorf("%d sources are still counted", n)
	}
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
