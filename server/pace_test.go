package server

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.1")
	// written is what an AOR may write, in bytes, that changes as often as it can for a time.
	written := func(p *pace, aors, contacts, bytes int, from func(i int) netip.Addr, during time.Duration) (sum int) {
		for now := time.Duration(0); now < during; now += time.Millisecond {
			for i := range 10 {
				if p.admit(1_000_000+now.Milliseconds(), fmt.Appendf(nil, "user%d@h", i%aors), from(i), contacts, bytes) == 0 {
					sum += bytes
				}
			}
		}
		return sum
	}
	from := func(int) netip.Addr { return here }
	t.Run("R2 an AOR writes no more than its share, however large its record", func(t *testing.T) {
		for _, bytes := range []int{300, 15_000} {
			most := 10 * paceBytes * int((paceBurst+time.Minute)/time.Second)
			if got := written(newPace(), 1, 10, bytes, from, time.Minute); got > most+bytes || got < most/2 {
				t.Errorf("with records of %d it writes %d bytes in a minute, the most is %d", bytes, got, most)
			}
		}
	})
	t.Run("R2 a source writes no more than its share, however many AORs", func(t *testing.T) {
		most := sourceBytes * int((paceBurst+10*time.Second)/time.Second)
		for name, from := range map[string]func(int) netip.Addr{
			"one address": from,
			"a /56": func(i int) netip.Addr {
				return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, byte(i)})
			},
		} {
			if got := written(newPace(), 10, 1000, 100_000, from, 10*time.Second); got > most*102/100 {
				t.Errorf("%s writes %d bytes in ten seconds, the most is %d", name, got, most)
			}
		}
	})
	t.Run("R2 who waits as long as is asked is served", func(t *testing.T) {
		p := newPace()
		now := int64(1_000_000)
		for range 1000 {
			if wait := p.admit(now, []byte("bob@h"), here, 10, 15_000); wait > 0 {
				now += wait.Milliseconds()
				if p.admit(now, []byte("bob@h"), here, 10, 15_000) != 0 {
					t.Fatal("it waited in vain")
				}
			}
		}
	})
	t.Run("R2 a clock that stands an hour before costs nobody more than the burst", func(t *testing.T) {
		p := newPace()
		for p.admit(5_000_000, []byte("bob@h"), here, 10, 15_000) == 0 {
		}
		if wait := p.admit(5_000_000, []byte("bob@h"), here, 10, 15_000); wait > time.Second {
			t.Errorf("it waits for %v", wait)
		}
	})
}
