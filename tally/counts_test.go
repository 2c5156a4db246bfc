package tally

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
)

func TestCounts(t *testing.T) {
	t.Run("each key has its own count", func(t *testing.T) {
		c := New(4096)
		for i := range 50 {
			c.Add(c.Key(1, fmt.Appendf(nil, "name%d", i)), i)
		}
		wrong := 0
		for i := range 50 {
			n := c.Of(c.Key(1, fmt.Appendf(nil, "name%d", i)))
			if n < i {
				t.Errorf("%d is counted as %d: too low", i, n)
			}
			if n > i {
				wrong++
			}
		}
		if wrong > 1 {
			t.Errorf("%d of 50 counts are too high", wrong)
		}
	})
	t.Run("what is taken back leaves nothing", func(t *testing.T) {
		c := New(16)
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 1000 {
					k := c.Key(byte(g), fmt.Append(nil, i))
					c.Add(k, 3)
					c.Add(k, -3)
				}
			})
		}
		all.Wait()
		for i := range c.rows {
			for j := range c.rows[i] {
				if n := c.rows[i][j].Load(); n != 0 {
					t.Fatalf("slot %d of row %d has %d", j, i, n)
				}
			}
		}
	})
	t.Run("nobody is not counted", func(t *testing.T) {
		c := New(16)
		c.Add(0, 5)
		if n := c.Of(0); n != 0 {
			t.Errorf("nobody has %d", n)
		}
	})
	t.Run("a kind and what a key belongs to make another key", func(t *testing.T) {
		c := New(maxSlots * 2)
		a, b := c.Key(1, []byte("x")), c.Key(2, []byte("x"))
		if a == b || c.Join(a, []byte("y")) == c.Join(b, []byte("y")) {
			t.Error("the same key for two")
		}
	})
}

func TestSources(t *testing.T) {
	c := New(4096)
	same := func(a, b string, want ...bool) {
		t.Helper()
		x, y := c.Sources(netip.MustParseAddr(a)), c.Sources(netip.MustParseAddr(b))
		for i, w := range want {
			if (x[i] == y[i]) != w {
				t.Errorf("%s and %s: key %d is the same: %v", a, b, i, !w)
			}
		}
	}
	same("192.0.2.1", "::ffff:192.0.2.1", true, true)
	same("192.0.2.1", "192.0.2.2", false)
	same("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true, true)
	same("2001:db8:0:1::1", "2001:db8:0:2::1", false, true)
	same("2001:db8:0:1::1", "2001:db8:0:101::1", false, false)
	if k := c.Sources(netip.MustParseAddr("192.0.2.1")); k[0] == 0 || k[1] != 0 {
		t.Errorf("an IPv4 address has the keys %v", k)
	}
}

func TestNoAllocation(t *testing.T) {
	c := New(4096)
	addr := netip.MustParseAddr("2001:db8::1")
	if n := testing.AllocsPerRun(100, func() {
		for _, k := range c.Sources(addr) {
			c.Add(k, 1)
			c.Add(k, -1)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
