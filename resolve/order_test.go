package resolve

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"biloxi/sip"
)

// TestTargets looks URIs up in testdata's zones, as RFC 3263 §4.1 and §4.2 say.
func TestTargets(t *testing.T) {
	const (
		s1, s2, s2six = "192.0.2.1", "192.0.2.2", "[2001:db8::2]"
		s3, s3six     = "192.0.2.3", "[2001:db8::3]"
	)
	cases := []struct {
		name, uri string
		needs     []string
		want      []string
	}{
		{"RFC 3263 §4.1 a numeric host: UDP for sip", "sip:192.0.2.7", nil, []string{"UDP 192.0.2.7:5060 0/0"}},
		{"RFC 3263 §4.1 a numeric host: TLS for sips", "sips:192.0.2.7", nil, []string{"TLS 192.0.2.7:5061 0/0 192.0.2.7"}},
		{"RFC 3263 §4.2 a numeric host with a port", "sip:192.0.2.7:5070", nil, []string{"UDP 192.0.2.7:5070 0/0"}},
		{"RFC 3263 §4.1 a numeric host with a transport", "sip:192.0.2.7;transport=tcp", nil, []string{"TCP 192.0.2.7:5060 0/0"}},
		{"RFC 3263 §4.2 IPv6", "sip:[2001:db8::7]", nil, []string{"UDP [2001:db8::7]:5060 0/0"}},
		{"RFC 3263 §4.2 IPv4 in IPv6", "sip:[::ffff:192.0.2.7]", nil, []string{"UDP 192.0.2.7:5060 0/0"}},
		{"RFC 3263 §4 maddr is the target", "sip:example.com;maddr=192.0.2.8", nil, []string{"UDP 192.0.2.8:5060 0/0"}},
		{"RFC 3263 §4 maddr as a name, the certificate for the host", "sips:Example.org;maddr=v4.example.com", nil, []string{"TLS 192.0.2.14:5061 0/0 example.org"}},
		{"RFC 3261 §18.1.1 too large for UDP", "sip:192.0.2.7;transport=udp", []string{"stream"}, []string{"TCP 192.0.2.7:5060 0/0"}},
		{"RFC 3261 §18.1.1 too large for UDP, with a port", "sip:v4.example.com:5070", []string{"stream"}, []string{"TCP 192.0.2.14:5070 0/0"}},
		{"RFC 3261 §16.6 step 7 as if sips", "sip:192.0.2.7:5070", []string{"secure"}, []string{"TLS 192.0.2.7:5070 0/0 192.0.2.7"}},

		{"RFC 3263 §4.2 a port: addresses only", "sip:example.com:5060", nil, []string{"UDP 192.0.2.99:5060 0/0"}},
		{"RFC 3263 §4.2 a port and a transport", "sip:example.com:5071;transport=tcp", nil, []string{"TCP 192.0.2.99:5071 0/0"}},
		{"RFC 3263 §4.1 a port, sips", "sips:example.com:5071", nil, []string{"TLS 192.0.2.99:5071 0/0 example.com"}},

		{"RFC 3263 §4.2 a transport: its SRV", "sip:example.com;transport=UDP", nil, []string{
			"UDP " + s1 + ":5060 0/1", "UDP " + s2six + ":5070 5/0", "UDP " + s2 + ":5070 5/0", "UDP " + s3six + ":5060 9/0", "UDP " + s3 + ":5060 9/0"}},
		{"RFC 3263 §4.2 a transport of sips: _sips", "sips:example.com;transport=tcp", nil, []string{
			"TLS " + s1 + ":5061 0/1 example.com", "TLS " + s2six + ":5061 1/1 example.com", "TLS " + s2 + ":5061 1/1 example.com"}},
		{"RFC 5630 §3.1.4 transport=tls is understood", "sip:example.com;transport=tls", nil, []string{
			"TLS " + s1 + ":5061 0/1 example.com", "TLS " + s2six + ":5061 1/1 example.com", "TLS " + s2 + ":5061 1/1 example.com"}},
		{"RFC 3263 §4.2 a transport without SRV: addresses", "sip:v4.example.com;transport=tcp", nil, []string{"TCP 192.0.2.14:5060 0/0"}},
		{"RFC 3263 §4.2 TLS without SRV", "sip:v4.example.com;transport=tls", nil, []string{"TLS 192.0.2.14:5061 0/0 v4.example.com"}},

		{"RFC 3263 §4.1 NAPTR: the most preferred that we have", "sip:Example.COM.", nil, []string{
			"TLS " + s1 + ":5061 0/1 example.com", "TLS " + s2six + ":5061 1/1 example.com", "TLS " + s2 + ":5061 1/1 example.com"}},
		{"RFC 3263 §4.1 NAPTR: sips takes SIPS only", "sips:bob@pref.example.com", nil, []string{
			"TLS " + s1 + ":5061 0/1 pref.example.com", "TLS " + s2six + ":5061 1/1 pref.example.com", "TLS " + s2 + ":5061 1/1 pref.example.com"}},
		{"RFC 3263 §4.1 NAPTR: one order, by preference, in another domain", "sip:pref.example.com", nil, []string{
			"TCP 198.51.100.9:5090 0/0",
			"UDP " + s1 + ":5060 0/1", "UDP " + s2six + ":5070 5/0", "UDP " + s2 + ":5070 5/0", "UDP " + s3six + ":5060 9/0", "UDP " + s3 + ":5060 9/0"}},
		{"RFC 3263 §4.1 NAPTR: no UDP for what is too large", "sip:pref.example.com", []string{"stream"}, []string{"TCP 198.51.100.9:5090 0/0"}},
		{"RFC 3263 §4.1 NAPTR: none that applies", "sip:odd.example.com", nil, []string{"UDP " + s3six + ":5060 0/0", "UDP " + s3 + ":5060 0/0"}},
		{"RFC 3403 §4.1 NAPTR: the next order if one leads nowhere", "sip:lost.example.com", nil, []string{
			"UDP " + s1 + ":5060 0/1", "UDP " + s2six + ":5070 5/0", "UDP " + s2 + ":5070 5/0", "UDP " + s3six + ":5060 9/0", "UDP " + s3 + ":5060 9/0"}},
		{"RFC 3263 §4.2 NAPTR without SRV: its transport, the address", "sip:gone.example.com", nil, []string{"TCP 192.0.2.94:5060 0/0"}},

		{"RFC 3263 §4.1 no NAPTR: SRV for each transport of sip", "sip:srv.example.com", nil, []string{
			"UDP " + s1 + ":5060 10/0", "TCP " + s2six + ":5062 10/0", "TCP " + s2 + ":5062 10/0"}},
		{"RFC 3263 §4.1 no NAPTR: _sips for sips", "sips:srv.example.com", nil, []string{"TLS " + s1 + ":5063 10/0 srv.example.com"}},
		{"RFC 3263 §4.1 no NAPTR: the transport that has SRV", "sip:tcp.example.com", nil, []string{"TCP " + s1 + ":5062 10/0"}},
		{"RFC 3263 §4.1 no SRV: UDP and the addresses", "sip:host.example.com", nil, []string{
			"UDP [2001:db8::10]:5060 0/0", "UDP 192.0.2.10:5060 0/0", "UDP 192.0.2.11:5060 0/0"}},
		{"RFC 3263 §4.1 no SRV: TLS for sips", "sips:v6.example.com", nil, []string{"TLS [2001:db8::16]:5061 0/0 v6.example.com"}},
		{"RFC 3263 §4.1 no SRV: TCP for what is too large", "sip:v6.example.com", []string{"stream"}, []string{"TCP [2001:db8::16]:5060 0/0"}},
		{"RFC 1034 §3.6.2 an alias, the certificate for the host", "sips:alias.example.com", nil, []string{
			"TLS [2001:db8::10]:5061 0/0 alias.example.com", "TLS 192.0.2.10:5061 0/0 alias.example.com", "TLS 192.0.2.11:5061 0/0 alias.example.com"}},

		{"RFC 2782 a dot: that transport is not offered", "sip:half.example.com", nil, []string{"TCP " + s1 + ":5060 0/0"}},
		{"RFC 2782 a target without addresses is passed over", "sip:part.example.com", nil, []string{
			"UDP [2001:db8::10]:5060 1/0", "UDP 192.0.2.10:5060 1/0", "UDP 192.0.2.11:5060 1/0"}},
		{"RFC 3263 §4.3 one server by two names is tried once", "sip:twice.example.com", nil, []string{"UDP " + s1 + ":5060 0/0"}},
		{"localhost is not asked for", "sip:localhost:5080", nil, []string{"UDP [::1]:5080 0/0", "UDP 127.0.0.1:5080 0/0"}},
	}
	for _, kind := range []string{"asked", "additional", "lazy"} {
		t.Run(kind, func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					g := newRig(t)
					g.zones.additional, g.zones.lazy = kind == "additional", kind == "lazy"
					for _, state := range []string{"cold", "warm"} {
						got, err := g.find(c.uri, c.needs...)
						if err != nil {
							t.Fatalf("%s: %v", state, err)
						}
						same(t, state, got, c.want)
					}
					if n := g.Stats().Waited; n > 1 {
						t.Errorf("%d look-ups waited for DNS, want the first only", n)
					}
				})
			}
		})
	}
}

// TestNoTargets looks up what has none: each reason has its error.
func TestNoTargets(t *testing.T) {
	cases := []struct {
		name, uri string
		needs     []string
		want      error
	}{
		{"RFC 2308 §2.1 NXDOMAIN", "sip:nobody.example.com", nil, ErrNoDomain},
		{"RFC 2308 §2.2 no address", "sip:load.example.com:5060", nil, ErrNoAddress},
		{"RFC 2782 dots for all transports", "sip:no.example.com", nil, ErrNotOffered},
		{"RFC 2782 a dot for the transport", "sip:half.example.com;transport=udp", nil, ErrNotOffered},
		{"RFC 2782 SRV without addresses is no reason to take the domain's", "sip:none.example.com", nil, ErrNoDomain},
		{"RFC 1034 §3.6.2 a circle of aliases", "sip:circle.example.com:5060", nil, ErrServerFailure},
		{"addresses that nobody can send to", "sip:unusable.example.com", nil, ErrNoAddress},
		{"RFC 3261 §26.2.2 sips over UDP", "sips:example.com;transport=udp", nil, ErrUnsupported},
		{"RFC 3261 §16.6 step 7 as if sips, over UDP", "sip:example.com;transport=udp", []string{"secure"}, ErrUnsupported},
		{"a transport that we do not have", "sip:example.com;transport=sctp", nil, ErrUnsupported},
		{"RFC 7118 WebSocket is not for servers to open", "sip:example.com;transport=ws", nil, ErrUnsupported},
		{"RFC 7118 WebSocket, sips", "sips:example.com;transport=ws", nil, ErrUnsupported},
		{"another scheme", "tel:+12125551212", nil, ErrUnsupported},
		{"multicast", "sip:224.0.1.75", nil, ErrUnsupported},
		{"broadcast", "sip:255.255.255.255", nil, ErrUnsupported},
		{"any address", "sip:[::]", nil, ErrUnsupported},
		{"a name that cannot stand in DNS", "sip:a..b", nil, ErrUnsupported},
		{"maddr that is no host", "sip:example.com;maddr=%41", nil, ErrUnsupported},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t)
			for range 2 {
				got, err := g.find(c.uri, c.needs...)
				var e *Error
				if !errors.Is(err, c.want) || !errors.As(err, &e) || len(err.Error()) < 40 {
					t.Errorf("%v, %v; want %v", got, err, c.want)
				}
				if temporary := c.want == ErrServerFailure; e != nil && e.Temporary() != temporary {
					t.Errorf("%v is temporary: %v", err, e.Temporary())
				}
			}
		})
	}
}

// TestTransports has elements that do not support all transports.
func TestTransports(t *testing.T) {
	with := func(list ...sip.Transport) func(*Config) { return func(cfg *Config) { cfg.Transports = list } }
	t.Run("RFC 3263 §4.1 NAPTR of a transport that we lack is discarded", func(t *testing.T) {
		newRig(t, with(sip.TCP, sip.UDP)).expect("sip:example.com",
			"TCP 192.0.2.1:5060 0/1", "TCP [2001:db8::2]:5060 1/2", "TCP 192.0.2.2:5060 1/2")
	})
	t.Run("RFC 3263 §4.1 SRV in the order that we prefer", func(t *testing.T) {
		newRig(t, with(sip.TCP, sip.UDP)).expect("sip:srv.example.com",
			"TCP [2001:db8::2]:5062 10/0", "TCP 192.0.2.2:5062 10/0", "UDP 192.0.2.1:5060 10/0")
	})
	t.Run("TCP where there is no UDP", func(t *testing.T) {
		newRig(t, with(sip.TCP)).expect("sip:192.0.2.1", "TCP 192.0.2.1:5060 0/0")
	})
	t.Run("no TLS for sips", func(t *testing.T) {
		for _, uri := range []string{"sips:example.com", "sips:192.0.2.1", "sips:example.com:5061", "sips:localhost"} {
			if got, err := newRig(t, with(sip.UDP, sip.TCP)).find(uri); !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v, %v", uri, got, err)
			}
		}
	})
	t.Run("only UDP for what is too large", func(t *testing.T) {
		if got, err := newRig(t, with(sip.UDP)).find("sip:example.com", "stream"); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

// TestFamilies has elements of one family or another.
func TestFamilies(t *testing.T) {
	six, four := "UDP [2001:db8::2]:5070 5/0", "UDP 192.0.2.2:5070 5/0"
	for f, want := range map[Families][]string{
		IPv6First: {six, four}, IPv4First: {four, six}, IPv4Only: {four}, IPv6Only: {six},
	} {
		g := newRig(t, func(cfg *Config) { cfg.Families = f })
		got, err := g.find("sip:example.com;transport=udp")
		got = slices.DeleteFunc(got, func(s string) bool { return s != six && s != four })
		if err != nil {
			t.Error(err)
		}
		same(t, "RFC 7984 §3.1", got, want)
	}
	g := newRig(t, func(cfg *Config) { cfg.Families = IPv4Only })
	for _, uri := range []string{"sip:[2001:db8::1]", "sip:v6.example.com"} {
		if got, err := g.find(uri); err == nil {
			t.Errorf("%s without IPv6: %v", uri, got)
		}
	}
	if slices.ContainsFunc(g.zones.questions(), func(s string) bool { return s == "v6.example.com AAAA" }) {
		t.Error("RFC 7984 §3.1: a family that we do not have is asked for")
	}
}

// TestHosts has names with addresses from configuration.
func TestHosts(t *testing.T) {
	g := newRig(t, func(cfg *Config) {
		cfg.Hosts = map[string][]netip.Addr{
			"Example.com.":        {netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:10.0.0.2")},
			"server1.example.com": {netip.MustParseAddr("10.0.0.3")},
		}
	})
	g.expect("sip:example.com", "UDP 10.0.0.1:5060 0/0", "UDP 10.0.0.2:5060 0/0")
	g.expect("sips:example.com;transport=tcp", "TLS 10.0.0.1:5061 0/0 example.com", "TLS 10.0.0.2:5061 0/0 example.com")
	if asked := g.zones.questions(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
	g.zones.additional = true
	g.expect("sip:twice.example.com", "UDP 10.0.0.3:5060 0/0", "UDP 192.0.2.1:5060 1/0")
}

// TestWeights draws often from a fixed seed: RFC 2782 "Weight".
func TestWeights(t *testing.T) {
	g := newRig(t)
	const draws = 10_000
	first := map[string]int{}
	last := map[string]int{}
	for range draws {
		got, err := g.find("sip:load.example.com")
		if err != nil || len(got) != 6 {
			t.Fatal(got, err)
		}
		first[got[0]]++
		last[got[4]]++
		for i, s := range got {
			if prio := s[len("UDP 192.0.2.21:5060 "):][:2]; (prio == "10") != (i < 4) {
				t.Fatalf("priorities out of order: %q", got)
			}
		}
	}
	// The number drawn is one of 0 to 100: a gets 60 of 101, d with weight 0 gets one.
	for target, share := range map[string]float64{
		"UDP 192.0.2.21:5060 10/60": 60, "UDP 192.0.2.22:5060 10/30": 30, "UDP 192.0.2.23:5060 10/10": 10, "UDP 192.0.2.24:5060 10/0": 1,
	} {
		want := draws * share / 101
		if got := float64(first[target]); got < want-150 || got > want+150 {
			t.Errorf("%s is first %v times of %d, want about %.0f", target, got, draws, want)
		}
	}
	// With weights of 0 only, each is as likely.
	for _, target := range []string{"UDP 192.0.2.25:5060 20/0", "UDP 192.0.2.26:5060 20/0"} {
		if n := last[target]; n < draws/2-200 || n > draws/2+200 {
			t.Errorf("%s is first of its priority %d times of %d", target, n, draws)
		}
	}
}

// TestAdditional checks whom additional records serve.
func TestAdditional(t *testing.T) {
	g := newRig(t)
	g.zones.additional = true
	g.expect("sip:v4.example.com", "UDP 192.0.2.14:5060 0/0")
	g.zones.questions()
	if _, err := g.find("sips:example.com"); err != nil {
		t.Fatal(err)
	}
	// server1 has no AAAA record: that is not known from what came along.
	same(t, "RFC 2782: addresses that came along are not asked for", g.zones.questions(),
		[]string{"example.com NAPTR", "server1.example.com AAAA"})

	// A domain that says something about another one does so for itself only.
	g.zones.reply = func(q, a *dns.Msg) {
		if canonical(q.Question[0].Name) == "_sip._udp.twice.example.com" {
			rr, _ := dns.NewRR("server1.example.com. 300 IN A 203.0.113.66")
			a.Extra = []dns.RR{rr}
		}
	}
	g.expect("sip:twice.example.com", "UDP 203.0.113.66:5060 0/0", "UDP 192.0.2.1:5060 1/0")
	g.expect("sip:server1.example.com:5060", "UDP 192.0.2.1:5060 0/0")
}
