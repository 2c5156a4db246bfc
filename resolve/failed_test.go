package resolve

import (
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// TestFailover walks lists whose targets fail: RFC 3263 §4.3.
func TestFailover(t *testing.T) {
	const first, second = "TCP 192.0.2.1:5060 0/1", "TCP 192.0.2.2:5060 1/2"
	fail := func(g *rig, transport sip.Transport, addr string, retryAfter time.Duration) {
		g.Failed(Target{Transport: transport, Addr: netip.MustParseAddrPort(addr)}, retryAfter)
	}
	// The targets of example.com over TCP, in IPv4.
	tcp := func(t *testing.T) *rig {
		return newRig(t, func(cfg *Config) { cfg.Families, cfg.Transports = IPv4Only, []sip.Transport{sip.TCP} })
	}

	t.Run("the first SRV target is dead: the next one is used", func(t *testing.T) {
		g := tcp(t)
		u := parse(t, "sip:example.com")
		var list Targets
		var end result
		if ready, err := g.Lookup(Query{URI: &u}, &list, &end); ready || err != nil {
			t.Fatal(ready, err)
		}
		g.pump()
		var sent []netip.AddrPort
		for target, ok := list.Next(); ok; target, ok = list.Next() {
			sent = append(sent, target.Addr)
			if target.Addr == netip.MustParseAddrPort("192.0.2.2:5060") {
				g.Answered(target)
				break
			}
			list.Failed(target, 0)
		}
		if len(sent) != 2 || list.Len() != 0 || len(list.All()) != 2 {
			t.Errorf("tried %v", sent)
		}
		// The next request does not wait for the dead one first.
		g.expect("sip:example.com", second, first)
	})
	t.Run("when its rest is over one look-up tries it again, and the others once it answers", func(t *testing.T) {
		g := tcp(t)
		fail(g, sip.TCP, "192.0.2.1:5060", 0)
		g.clock.forward(DefaultRest - 1)
		g.expect("sip:example.com", second, first)
		g.clock.forward(1)
		g.expect("sip:example.com", first, second)
		g.expect("sip:example.com", second, first)
		g.clock.forward(probeTime)
		g.expect("sip:example.com", first, second)
		g.Answered(Target{Transport: sip.TCP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")})
		for range 3 {
			g.expect("sip:example.com", first, second)
		}
		if n := g.Stats().Failed; n != 0 {
			t.Errorf("%d failures are remembered", n)
		}
	})
	t.Run("a failure is forgotten if nobody says more", func(t *testing.T) {
		g := tcp(t)
		fail(g, sip.TCP, "192.0.2.1:5060", 0)
		g.clock.forward(DefaultRest + MaxRest)
		for range 3 {
			g.expect("sip:example.com", first, second)
		}
	})
	t.Run("all have failed: they stay in order", func(t *testing.T) {
		g := tcp(t)
		fail(g, sip.TCP, "192.0.2.1:5060", 0)
		fail(g, sip.TCP, "192.0.2.2:5060", 0)
		g.expect("sip:example.com", first, second)
	})
	t.Run("another transport of the server has not failed", func(t *testing.T) {
		g := tcp(t)
		fail(g, sip.UDP, "192.0.2.1:5060", 0)
		g.expect("sip:example.com", first, second)
	})
	t.Run("RFC 3261 §21.5.4 Retry-After of a 503", func(t *testing.T) {
		g := tcp(t)
		fail(g, sip.TCP, "192.0.2.1:5060", 2*time.Minute)
		g.clock.forward(2*time.Minute - 1)
		g.expect("sip:example.com", second, first)
		g.clock.forward(1)
		g.expect("sip:example.com", first, second)
		fail(g, sip.TCP, "192.0.2.1:5060", 24*time.Hour)
		g.clock.forward(MaxRest)
		g.expect("sip:example.com", first, second)
	})
	t.Run("the table is bounded", func(t *testing.T) {
		g := tcp(t)
		for i := range 3 * maxFailed {
			addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			g.Failed(Target{Transport: sip.UDP, Addr: netip.AddrPortFrom(addr, 5060)}, 0)
		}
		if n := g.Stats().Failed; n != maxFailed {
			t.Errorf("%d failures are remembered, want %d", n, maxFailed)
		}
	})
}
