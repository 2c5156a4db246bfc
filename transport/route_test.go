package transport

import (
	"net/netip"
	"testing"

	"biloxi/sip"
)

// Which address of ours a peer is sent to from.
func TestLocal(t *testing.T) {
	type listener struct{ at, family string }
	for _, c := range []struct {
		name        string
		bound       []listener
		peer, route string // route: the address that the system chooses
		local       string // empty: none
		wildcard    bool
	}{
		{"the only one", []listener{{"192.0.2.10:5060", "4"}}, "198.51.100.1", "192.0.2.10", "192.0.2.10:5060", false},
		{"the system's choice", []listener{{"192.0.2.10:5060", "4"}, {"192.0.2.11:5060", "4"}}, "198.51.100.1", "192.0.2.11", "192.0.2.11:5060", false},
		{"another", []listener{{"192.0.2.10:5060", "4"}}, "198.51.100.1", "192.0.2.99", "192.0.2.10:5060", false},
		{"all", []listener{{"0.0.0.0:5060", "4"}}, "198.51.100.1", "192.0.2.10", "192.0.2.10:5060", true},
		{"one before all", []listener{{"0.0.0.0:5060", "4"}, {"192.0.2.10:5070", "4"}}, "198.51.100.1", "192.0.2.10", "192.0.2.10:5070", false},
		{"all before another", []listener{{"192.0.2.11:5070", "4"}, {"0.0.0.0:5060", "4"}}, "198.51.100.1", "192.0.2.10", "192.0.2.10:5060", true},
		{"both families", []listener{{"[::]:5060", ""}}, "198.51.100.1", "192.0.2.10", "192.0.2.10:5060", true},
		{"both families, IPv6", []listener{{"[::]:5060", ""}}, "2001:db8::1", "2001:db8::10", "[2001:db8::10]:5060", true},
		{"the other family", []listener{{"192.0.2.10:5060", "4"}, {"[2001:db8::10]:5060", "6"}}, "2001:db8::1", "2001:db8::10", "[2001:db8::10]:5060", false},
		{"no such family", []listener{{"192.0.2.10:5060", "4"}}, "2001:db8::1", "2001:db8::10", "", false},
		{"loopback reaches nobody", []listener{{"127.0.0.1:5060", "4"}}, "198.51.100.1", "192.0.2.10", "", false},
		{"loopback reaches itself", []listener{{"127.0.0.2:5060", "4"}}, "127.0.0.1", "127.0.0.1", "127.0.0.2:5060", false},
		{"loopback reaches this host", []listener{{"127.0.0.1:5060", "4"}}, "192.0.2.10", "192.0.2.10", "127.0.0.1:5060", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, err := New(Config{}, &answerer{})
			if err != nil {
				t.Fatal(err)
			}
			tr.bound = append(tr.bound, newEndpoint(sip.TCP, netip.MustParseAddrPort("198.51.100.9:5060"), "4")) // of another transport
			for _, l := range c.bound {
				tr.bound = append(tr.bound, newEndpoint(sip.UDP, netip.MustParseAddrPort(l.at), l.family))
			}
			peer := netip.MustParseAddr(c.peer)
			tr.routes.known[peer] = route{netip.MustParseAddr(c.route), tr.now() + routeLife}
			local, bound, ok := tr.local(sip.UDP, peer)
			if ok != (c.local != "") || ok && local.String() != c.local {
				t.Errorf("%v, %v, want %s", local, ok, c.local)
			}
			if ok && bound.IsUnspecified() != c.wildcard {
				t.Errorf("bound to %v", bound)
			}
		})
	}
}

// What is remembered of routes is bounded, and forgotten.
func TestRoutes(t *testing.T) {
	tr, err := New(Config{}, &answerer{})
	if err != nil {
		t.Fatal(err)
	}
	peer := netip.MustParseAddr("127.0.0.1")
	tr.routes.known[peer] = route{netip.MustParseAddr("192.0.2.1"), 0} // over
	if got := tr.source(peer); got != peer {
		t.Errorf("to %v from %v", peer, got)
	}
	tr.routes.known[peer] = route{netip.MustParseAddr("192.0.2.1"), tr.now() + routeLife}
	if got := tr.source(peer); got.String() != "192.0.2.1" {
		t.Errorf("it was asked again: %v", got)
	}
	for i := range maxRoutes + 10 {
		tr.source(netip.AddrFrom4([4]byte{127, 0, byte(1 + i>>8), byte(i)}))
	}
	if n := len(tr.routes.known); n > maxRoutes {
		t.Errorf("%d remembered", n)
	}
}
