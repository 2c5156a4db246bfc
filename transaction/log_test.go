package transaction

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"testing"
	"unsafe"

	"biloxi/sip"
)

// hosts are addresses of each kind.
var hosts = []netip.AddrPort{
	netip.MustParseAddrPort("192.0.2.1:5060"),
	netip.MustParseAddrPort("192.0.2.101:5062"),
	netip.MustParseAddrPort("[2001:db8::1]:5060"),
	netip.MustParseAddrPort("[2001:db8::101]:65535"),
	netip.MustParseAddrPort("[::ffff:192.0.2.1]:1"),
	netip.MustParseAddrPort("[::]:5060"),
	netip.MustParseAddrPort("0.0.0.0:5060"),
	netip.MustParseAddrPort("[fe80::1%eth0]:5060"),
	{},
}

// TestRoute: what goes into a route comes out of it, whatever it is.
func TestRoute(t *testing.T) {
	for _, local := range hosts {
		for _, remote := range hosts {
			for _, to := range hosts {
				flow := sip.Flow{Transport: sip.TLS, Local: local, Remote: remote, Serial: 1 << 40}
				r := newRoute(flow, to)
				if f, a := r.read(); f != flow || a != to {
					t.Errorf("%v to %v became %v to %v", flow, to, f, a)
				}
				// A port of its own is all that `to` has in nearly all cases.
				if r.odd == nil && (to.Addr() != remote.Addr() || local.Addr().Zone() != "") {
					t.Errorf("%v to %v fits", flow, to)
				}
				port := netip.AddrPortFrom(remote.Addr(), 7)
				if r := newRoute(flow, port); r.odd != nil && local.Addr().Zone()+remote.Addr().Zone() == "" {
					t.Errorf("%v to %v does not fit", flow, port)
				}
			}
		}
	}
}

// TestSizes: what limits.go counts with, and what must not grow unnoticed.
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(transaction{}); n != transactionBytes {
		t.Errorf("a transaction is %d bytes, a size class of the allocator is %d", n, transactionBytes)
	}
	if n := unsafe.Sizeof(route{}); n > 56 {
		t.Errorf("a route is %d bytes", n)
	}
}

// kept is what a log should hold of a key.
type kept struct {
	due      uint32
	route    route
	response []byte
}

// TestLog: records are found as long as they last, with what was put in, and let go in their order, while chunks come and
// go and their numbers wrap; checked against a map and a queue.
func TestLog(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	c := newChunks()
	defer c.close()
	var l log
	l.first = 1<<(32-offsetBits) - 40 // a position's chunk numbers begin again soon, and at the end all of them
	l.end = l.first
	in, queue, now := map[key]kept{}, []key(nil), uint32(1<<32-3000)
	most := 0
	for n := range 60_000 {
		now += uint32(random.IntN(2))
		k := key{random.Uint64(), random.Uint64()}
		if n%32 == 0 {
			k.a &= 7 << 32 // many with one tag, or another of few
		}
		e := kept{due: now + 3000, route: newRoute(sip.Flow{Transport: sip.UDP, Local: hosts[random.IntN(7)],
			Remote: hosts[random.IntN(7)]}, netip.AddrPort{})}
		e.route.odd, e.route.ports[2] = nil, uint16(n)
		if n%3 > 0 {
			e.response = bytes.Repeat([]byte{byte(n)}, 1+random.IntN([]int{400, 400, 400, maxLogged}[random.IntN(4)]))
		}
		if n%5 != 0 || n < 20_000 {
			l.add(c, k, e.due, &e.route, e.response)
			in[k], queue = e, append(queue, k)
		}
		for l.over(now) {
			if int32(in[queue[0]].due-now) > 0 {
				t.Fatal("let go early")
			}
			l.drop(c)
			delete(in, queue[0])
			if queue = queue[1:]; l.find(k) != nil && len(queue) == 0 {
				t.Fatal("found what has gone")
			}
		}
		if n%20_000 == 19_999 { // a pause, in which all go
			most = max(most, len(c.held))
			for now += 3000; l.over(now); {
				l.drop(c)
				queue = queue[1:]
			}
			clear(in)
			if len(queue) != 0 || l.bytes != 0 || l.first != l.end || len(c.spare) != len(c.held) || len(c.held) > spareChunks {
				t.Fatalf("left: %d records, %d bytes, %d chunks of which %d spare", len(queue), l.bytes, len(c.held), len(c.spare))
			}
			if len(l.index.slots) > firstSlots {
				t.Fatalf("%d slots for nothing", len(l.index.slots))
			}
			continue
		}
		if len(queue) != l.index.count {
			t.Fatalf("%d records, wanted %d", l.index.count, len(queue))
		}
		if len(queue) > 0 {
			check(t, &l, queue[random.IntN(len(queue))], in)
		}
		if l.find(key{k.a, k.b + 1}) != nil {
			t.Fatal("found what was never there")
		}
	}
	if most < spareChunks+10 {
		t.Errorf("%d chunks at most: too few to show that those go back that are not spare", most)
	}
}

// check compares the record of a key with what it should be.
func check(t *testing.T, l *log, k key, in map[key]kept) {
	t.Helper()
	r, want := l.find(k), in[k]
	if r == nil || r.key() != k || r.due() != want.due || r.length() != len(want.response) {
		t.Fatalf("record %v, wanted %+v", r, want)
	}
	if len(want.response) == 0 {
		return
	}
	var rt route
	if got := r.response(&rt); !bytes.Equal(got, want.response) || rt != want.route {
		t.Fatalf("%+v and %d bytes, wanted %+v and %d", rt, len(got), want.route, len(want.response))
	}
}
