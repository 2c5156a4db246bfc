package server

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestShares: who may have how much of max_transactions.
func TestShares(t *testing.T) {
	const most = 64000
	take := func(s *shares, source, callee string, c caller) (refused string, r *relay) {
		r = &relay{request: &request{}}
		r.in.Flow.Remote = netip.AddrPortFrom(netip.MustParseAddr(source), 5060)
		r.req.Message = &r.msg
		x := &exchange{registering: &registering{aor: []byte(callee)}, request: r.request, caller: c}
		return s.take(&r.stake, x, r), r
	}
	fill := func(t *testing.T, s *shares, limit int, c func(i int) (source, callee string)) (n int) {
		t.Helper()
		for n = range limit + 1 {
			source, callee := c(n)
			if refused, _ := take(s, source, callee, caller{}); refused != "" {
				return n
			}
		}
		return limit + 1
	}
	for _, c := range []struct {
		name string
		want int
		from func(i int) (source, callee string)
	}{
		{"an IPv4 address", most / sourcePart, func(i int) (string, string) { return "192.0.2.1", fmt.Sprint(i) }},
		{"the /64 of an IPv6 address", most / sourcePart, func(i int) (string, string) {
			return fmt.Sprintf("2001:db8::%x", i), fmt.Sprint(i)
		}},
		{"the /56 of an IPv6 address", 2 * most / sourcePart, func(i int) (string, string) {
			return fmt.Sprintf("2001:db8:0:%x::1", i%256), fmt.Sprint(i)
		}},
		{"one user, for strangers", most / calleePart, func(i int) (string, string) {
			return fmt.Sprintf("10.0.%d.%d", i/256, i%256), "bob"
		}},
		{"one user, for one source", most / pairPart, func(int) (string, string) { return "192.0.2.1", "bob" }},
		{"strangers together", most * strangersShare / shareOf, func(i int) (string, string) {
			return fmt.Sprintf("10.%d.%d.%d", i/65536, i/256%256, i%256), fmt.Sprint(i)
		}},
	} {
		t.Run("S7 "+c.name+" has a bound", func(t *testing.T) {
			s := newShares(most)
			// Of so many keys two may meet where they are counted.
			if n := fill(t, s, c.want, c.from); n > c.want || n < c.want*98/100 {
				t.Errorf("%d are taken, want %d", n, c.want)
			}
		})
	}
	t.Run("S7 what is given back can be taken", func(t *testing.T) {
		s := newShares(most)
		for range 3 * most {
			refused, r := take(s, "2001:db8::1", "bob", caller{})
			if refused != "" {
				t.Fatal(refused)
			}
			s.grow(&r.stake, 1000)
			s.give(&r.stake)
		}
		if s.strangers.Load() != 0 || s.bytes.Load() != 0 {
			t.Errorf("%d transactions and %d bytes are left", s.strangers.Load(), s.bytes.Load())
		}
	})
	t.Run("S7 a subscriber has a bound, and a trusted peer has none", func(t *testing.T) {
		s := newShares(most)
		alice := caller{standing: authenticated, payer: s.user([]byte("alice"), []byte("example.com"))}
		n := 0
		for ; n < most; n++ {
			if refused, _ := take(s, "192.0.2.1", "bob", alice); refused != "" {
				break
			}
		}
		if n != most/userPart {
			t.Errorf("a subscriber takes %d, want %d", n, most/userPart)
		}
		bob := caller{standing: authenticated, payer: s.user([]byte("bob"), []byte("example.com"))}
		if refused, _ := take(s, "192.0.2.1", "bob", bob); refused != "" {
			t.Errorf("another one at the same address: %s", refused)
		}
		for range most {
			if refused, _ := take(s, "192.0.2.1", "bob", caller{standing: trusted}); refused != "" {
				t.Fatal(refused)
			}
		}
	})
	t.Run("S7 what goes on in strangers' dialogs has a little more than strangers", func(t *testing.T) {
		s := newShares(most)
		s.strangers.Store(most * strangersShare / shareOf)
		if refused, _ := take(s, "192.0.2.1", "bob", caller{}); refused == "" {
			t.Error("a stranger takes what is not there")
		}
		if refused, _ := take(s, "192.0.2.1", "bob", caller{proved: true}); refused != "" {
			t.Error(refused)
		}
		s.strangers.Store(most * provedShare / shareOf)
		if refused, _ := take(s, "192.0.2.1", "bob", caller{proved: true}); refused == "" {
			t.Error("a stranger's dialog takes what is not there")
		}
	})
}
