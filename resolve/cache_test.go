package resolve

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// asked looks up and returns what was asked for.
func (g *rig) asked(uri string) []string {
	g.t.Helper()
	g.zones.questions()
	if _, err := g.find(uri); err != nil {
		g.t.Fatal(err)
	}
	return g.zones.questions()
}

// TestTTL sets the time forward past what records say.
func TestTTL(t *testing.T) {
	t.Run("RFC 1035 §3.2.1 a record holds for its TTL", func(t *testing.T) {
		g := newRig(t)
		const uri = "sip:short.example.com:5060"
		both := []string{"short.example.com AAAA", "short.example.com A"}
		same(t, "cold", g.asked(uri), both)
		g.clock.forward(10*time.Second - 1)
		same(t, "before 10 s", g.asked(uri), nil)
		g.clock.forward(1)
		same(t, "after 10 s: AAAA is known not to be for 60 s", g.asked(uri), both[1:])
		g.clock.forward(50 * time.Second)
		same(t, "after 60 s", g.asked(uri), both)
	})
	t.Run("RFC 1035 §3.2.1 a TTL of 0 holds for one look-up", func(t *testing.T) {
		g := newRig(t)
		for range 2 {
			if asked := g.asked("sip:zero.example.com:5060"); asked[len(asked)-1] != "zero.example.com A" {
				t.Errorf("asked %q", asked)
			}
		}
	})
	t.Run("RFC 2181 §8 a TTL with the topmost bit is 0", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) {
			for i := range a.Answer {
				a.Answer[i] = dns.Copy(a.Answer[i])
				a.Answer[i].Header().Ttl = 1 << 31
			}
		}
		for range 2 {
			if asked := g.asked("sip:v4.example.com:5060"); asked[len(asked)-1] != "v4.example.com A" {
				t.Errorf("asked %q", asked)
			}
		}
	})
	t.Run("a TTL of years is cut", func(t *testing.T) {
		g := newRig(t)
		g.zones.load(t, "long.example.com. 99999999 IN A 192.0.2.40\nlong.example.com. 99999999 IN AAAA 2001:db8::40\n")
		g.asked("sip:long.example.com:5060")
		g.clock.forward(MaxTTL - 1)
		same(t, "before", g.asked("sip:long.example.com:5060"), nil)
		g.clock.forward(1)
		if n := len(g.asked("sip:long.example.com:5060")); n != 2 {
			t.Errorf("%d questions", n)
		}
	})
	t.Run("additional records hold for their own TTL", func(t *testing.T) {
		g := newRig(t)
		g.zones.additional = true
		g.zones.load(t, "_sip._udp.x.example.com. 300 IN SRV 0 0 5060 y.example.com.\ny.example.com. 20 IN A 192.0.2.41\ny.example.com. 20 IN AAAA 2001:db8::41\n")
		g.asked("sip:x.example.com;transport=udp")
		g.clock.forward(20 * time.Second)
		same(t, "after 20 s", g.asked("sip:x.example.com;transport=udp"), []string{"y.example.com AAAA", "y.example.com A"})
	})
}

// TestNegative remembers that there is nothing: RFC 2308 §5.
func TestNegative(t *testing.T) {
	const uri = "sip:nobody.example.com:5060"
	miss := func(g *rig) int {
		g.zones.questions()
		if _, err := g.find(uri); !errors.Is(err, ErrNoDomain) {
			g.t.Fatal(err)
		}
		return len(g.zones.questions())
	}
	t.Run("RFC 2308 §5 for the SOA's minimum", func(t *testing.T) {
		g := newRig(t)
		if n := miss(g); n != 2 {
			t.Fatalf("%d questions", n)
		}
		g.clock.forward(60*time.Second - 1)
		if n := miss(g); n != 0 {
			t.Errorf("%d questions before the minimum has passed", n)
		}
		g.clock.forward(1)
		if n := miss(g); n != 2 {
			t.Errorf("%d questions after it has passed", n)
		}
	})
	t.Run("RFC 2308 §5 not without an SOA", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) { a.Ns = nil }
		if n := miss(g) + miss(g); n != 4 {
			t.Errorf("%d questions", n)
		}
	})
	t.Run("RFC 2308 §5 not for long", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) {
			for i := range a.Ns {
				soa := *a.Ns[i].(*dns.SOA)
				soa.Minttl, soa.Hdr.Ttl = 86400, 86400
				a.Ns[i] = &soa
			}
		}
		miss(g)
		g.clock.forward(MaxNegativeTTL - 1)
		if n := miss(g); n != 0 {
			t.Errorf("%d questions before %v", n, MaxNegativeTTL)
		}
		g.clock.forward(1)
		if n := miss(g); n != 2 {
			t.Errorf("%d questions after %v", n, MaxNegativeTTL)
		}
	})
	t.Run("RFC 2308 §7 a failure for a short time", func(t *testing.T) {
		g := newRig(t)
		g.zones.reply = func(q, a *dns.Msg) { a.Rcode = dns.RcodeServerFailure }
		fails := func() int {
			g.zones.questions()
			if _, err := g.find(uri); !errors.Is(err, ErrServerFailure) {
				t.Fatal(err)
			}
			return len(g.zones.questions())
		}
		fails()
		g.clock.forward(failureTTL - 1)
		if n := fails(); n != 0 {
			t.Errorf("%d questions", n)
		}
		g.clock.forward(1)
		g.zones.reply = nil
		miss(g)
	})
}

// TestCacheBound fills the cache.
func TestCacheBound(t *testing.T) {
	const most = 100
	g := newRig(t, func(cfg *Config) { cfg.MaxCached = most; cfg.Families = IPv4Only })
	for i := range 5 * most {
		g.zones.load(t, fmt.Sprintf("h%d.example.com. 300 IN A 192.0.2.%d\n", i, i%250+1))
		g.expect(fmt.Sprintf("sip:h%d.example.com:5060", i), fmt.Sprintf("UDP 192.0.2.%d:5060 0/0", i%250+1))
		if n := g.Stats().Cached; n > most {
			t.Fatalf("%d answers are remembered", n)
		}
	}
	if n := g.Stats().Cached; n != most {
		t.Errorf("%d answers are remembered, want %d", n, most)
	}
}

// TestManyRecords has a domain with more than anybody needs.
func TestManyRecords(t *testing.T) {
	g := newRig(t)
	for i := range 100 {
		g.zones.load(t, fmt.Sprintf("_sip._udp.many.example.com. 300 IN SRV %d 0 5060 t%d.example.com.\n", 100-i, i))
		for j := range 30 {
			g.zones.load(t, fmt.Sprintf("t%d.example.com. 300 IN A 10.0.%d.%d\n", i, i, j+1))
		}
	}
	got, err := g.find("sip:many.example.com")
	if err != nil || len(got) != MaxTargets || got[0] != "UDP 10.0.99.1:5060 1/0" {
		t.Errorf("%d targets, %v: %v", len(got), got[:1], err)
	}
	if n := len(g.zones.questions()); n > 4+2*maxRecords {
		t.Errorf("%d questions", n)
	}
}

// TestSetServers changes where answers come from.
func TestSetServers(t *testing.T) {
	g := newRig(t)
	g.expect("sip:v4.example.com:5060", "UDP 192.0.2.14:5060 0/0")
	g.zones.records["v4.example.com"] = nil
	g.zones.load(t, "v4.example.com. 300 IN A 192.0.2.15\n")
	if err := g.SetServers(g.cfg.Servers, nil); err != nil {
		t.Fatal(err)
	}
	g.expect("sip:v4.example.com:5060", "UDP 192.0.2.15:5060 0/0")
}
