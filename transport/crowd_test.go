package transport

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func at(text string) sources { return sourcesOf(netip.MustParseAddr(text)) }

func TestSourcesOf(t *testing.T) {
	for in, want := range map[string][2]string{
		"192.0.2.1":            {"192.0.2.1/32", "192.0.2.1/32"},
		"::ffff:192.0.2.1":     {"192.0.2.1/32", "192.0.2.1/32"},
		"2001:db8:1:2:3:4:5:6": {"2001:db8:1:2::/64", "2001:db8:1::/56"},
		"fe80::1%eth0":         {"fe80::/64", "fe80::/56"},
	} {
		if got := at(in); got.narrow.String() != want[0] || got.wide.String() != want[1] {
			t.Errorf("%s is of %v, want %s", in, got, want)
		}
	}
}

// Who gives way.
func TestCrowd(t *testing.T) {
	names := map[*member]string{}
	n := 0
	enter := func(c *crowd, from string) string {
		m := &member{from: at(from)}
		n++
		names[m] = fmt.Sprintf("%d", n)
		if out := c.enter(m); out != nil {
			return names[out]
		}
		return ""
	}
	run := func(c crowd, steps ...[2]string) func(t *testing.T) {
		return func(t *testing.T) {
			n = 0
			for i, step := range steps {
				if got := enter(&c, step[0]); got != step[1] {
					t.Fatalf("step %d, %s: %q gave way, want %q", i+1, step[0], got, step[1])
				}
			}
		}
	}
	t.Run("S10 the oldest of a source", run(newCrowd(10, 2), [2]string{"192.0.2.1", ""}, [2]string{"192.0.2.2", ""}, [2]string{"192.0.2.1", ""}, [2]string{"192.0.2.1", "1"}, [2]string{"192.0.2.1", "3"}))
	t.Run("S10 the oldest of the source that has the most", run(newCrowd(3, 3), [2]string{"192.0.2.1", ""}, [2]string{"192.0.2.2", ""}, [2]string{"192.0.2.2", ""}, [2]string{"192.0.2.3", "2"}, [2]string{"192.0.2.4", "1"}))
	t.Run("S10 a /64", run(newCrowd(10, 2), [2]string{"2001:db8::1", ""}, [2]string{"2001:db8::2", ""}, [2]string{"2001:db8::3", "1"}))
	t.Run("S10 a /56", run(newCrowd(10, 1), [2]string{"2001:db8:0:1::1", ""}, [2]string{"2001:db8:0:2::1", ""}, [2]string{"2001:db8:0:3::1", "1"}, [2]string{"2001:db8:0:100::1", ""}))
}

// The books are right whatever happens.
func TestCrowdBooks(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	c := newCrowd(50, 20)
	var in []*member
	for range 20_000 {
		if len(in) > 0 && dice.IntN(3) == 0 {
			i := dice.IntN(len(in))
			if !c.leave(in[i]) || c.leave(in[i]) {
				t.Fatal("who was in was not, or was twice")
			}
			in = slices.Delete(in, i, i+1)
			continue
		}
		a := netip.AddrFrom4([4]byte{192, 0, 2, byte(dice.IntN(7))})
		if dice.IntN(2) == 0 {
			a = netip.AddrFrom16([16]byte{0: 0x20, 6: byte(dice.IntN(2)), 7: byte(dice.IntN(4))})
		}
		m := &member{from: sourcesOf(a)}
		most, size := c.largest, map[netip.Prefix]int{}
		for _, m := range in {
			size[m.from.wide]++
		}
		if out := c.enter(m); out != nil {
			if out.from.wide != m.from.wide && size[out.from.wide] != most {
				t.Fatalf("one of %d gave way, the most were %d", size[out.from.wide], most)
			}
			in = slices.DeleteFunc(in, func(m *member) bool { return m == out })
		}
		in = append(in, m)
		size = map[netip.Prefix]int{}
		for _, m := range in {
			size[m.from.wide]++
		}
		most = 0
		for _, n := range size {
			most = max(most, n)
		}
		if c.count != len(in) || c.count > 50 || c.largest != most {
			t.Fatalf("count %d of %d, largest %d of %d", c.count, len(in), c.largest, most)
		}
	}
	for _, m := range in {
		c.leave(m)
	}
	if c.count != 0 || len(c.groups) != 0 || c.largest != 0 || c.oldest() != nil {
		t.Errorf("%d left, %d groups", c.count, len(c.groups))
	}
}
