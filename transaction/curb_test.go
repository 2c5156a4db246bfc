package transaction

import (
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// recorder counts what is sent, by where it goes.
type recorder struct{ to map[netip.Addr]int }

func (r *recorder) Send(_ sip.Flow, to netip.AddrPort, _ []byte) error {
	r.to[to.Addr()]++
	return nil
}

// TestCurb: refusals of strangers' INVITEs that nobody acknowledges are sent again for a bounded number at a time.
func TestCurb(t *testing.T) {
	const always, once = 11, 2
	now := time.Unix(1e9, 0)
	made := 0
	invite := func(l *Layer, source string, acked bool) {
		t.Helper()
		made++
		b := requestText("INVITE", branch(made))
		flow := udp
		flow.Remote = netip.AddrPortFrom(netip.MustParseAddr(source), 5060)
		id, err := l.Serve(now, Incoming{Request: parseRequest(t, b), Flow: flow, To: flow.Remote, Stranger: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Respond(now, id, responseTo(t, b, 486, "x")); err != nil {
			t.Fatal(err)
		}
		if acked {
			l.Terminate(now, id)
		}
	}
	run := func(l *Layer) {
		for range 4000 {
			now = now.Add(tick)
			l.Advance(now)
		}
	}
	for _, c := range []struct {
		name    string
		sources []string
		want    []int // copies of each source's last refusal
	}{
		{"an IPv4 address", []string{"192.0.2.1", "192.0.2.2"}, []int{maxUnacknowledgedEach*always + 4*once, maxUnacknowledgedEach*always + 4*once}},
		{"the /64 of an IPv6 address", []string{"2001:db8::1"}, []int{maxUnacknowledgedEach*always + 4*once}},
	} {
		t.Run("S12 "+c.name+" has a bound", func(t *testing.T) {
			r := &recorder{map[netip.Addr]int{}}
			l := New(Config{}, now, r, &null{})
			for range 2 { // what is over is counted no more
				clear(r.to)
				for range maxUnacknowledgedEach + 4 {
					for _, s := range c.sources {
						invite(l, s, false)
					}
				}
				run(l)
				for i, s := range c.sources {
					if n := r.to[netip.MustParseAddr(s)]; n != c.want[i] {
						t.Errorf("%s gets %d datagrams, want %d", s, n, c.want[i])
					}
				}
			}
		})
	}
	t.Run("S12 the /56 of IPv6 addresses has a bound", func(t *testing.T) {
		r := &recorder{map[netip.Addr]int{}}
		l := New(Config{}, now, r, &null{})
		for i := range 8 * maxUnacknowledgedEach {
			a := netip.MustParseAddr("2001:db8::").As16()
			a[7] = byte(i)
			invite(l, netip.AddrFrom16(a).String(), false)
		}
		run(l)
		sum := 0
		for _, n := range r.to {
			sum += n
		}
		if want := maxUnacknowledgedEach * (2*always + 6*once); sum != want {
			t.Errorf("a /56 gets %d datagrams, want %d", sum, want)
		}
	})
	t.Run("S12 who acknowledges has none", func(t *testing.T) {
		r := &recorder{map[netip.Addr]int{}}
		l := New(Config{}, now, r, &null{})
		for range 10 * maxUnacknowledgedEach {
			invite(l, "192.0.2.1", true)
		}
		clear(r.to)
		invite(l, "192.0.2.1", false)
		run(l)
		if n := r.to[netip.MustParseAddr("192.0.2.1")]; n != always {
			t.Errorf("%d datagrams, want %d", n, always)
		}
	})
	t.Run("S12 all strangers together have a bound", func(t *testing.T) {
		r := &recorder{map[netip.Addr]int{}}
		l := New(Config{}, now, r, &null{})
		for i := range maxUnacknowledged + 100 {
			invite(l, netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}).String(), false)
		}
		run(l)
		sum := 0
		for _, n := range r.to {
			sum += n
		}
		if want := maxUnacknowledged*always + 100*once; sum != want {
			t.Errorf("%d datagrams, want %d", sum, want)
		}
	})
}
