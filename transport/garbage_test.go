package transport

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
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
	if n := tr.unfinished.used(); n != 0 {
		t.Errorf("%d bytes are still charged", n)
	}
	p.Close()
	w.eventually("no source is counted", func() bool {
		tr.admission.mu.Lock()
		defer tr.admission.mu.Unlock()
		return len(tr.admission.sources) == 0
	})
}
