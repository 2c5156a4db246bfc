package resolve

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// ask queues questions of an asker, each about a zone.
func (t *turns) ask(source string, stranger bool, zones ...string) {
	a := Asker{Stranger: stranger}
	if source != "" {
		a.Source = netip.MustParseAddr(source)
	}
	for n, zone := range zones {
		t.add(&inquiry{question: question{fmt.Sprint("h", n, ".", zone), typeA}, zone: zone, stranger: stranger}, a.turn())
	}
}

// all takes what may be asked, and counts it by the source that asked.
func (t *turns) all() (taken map[string]int, list []*inquiry) {
	taken = map[string]int{}
	for i := t.pop(); i != nil; i = t.pop() {
		taken[i.lane.asker.Source.String()]++
		list = append(list, i)
	}
	return taken, list
}

func zonesOf(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("z%d.example", i))
	}
	return list
}

func TestTurns(t *testing.T) {
	const workers = 256
	t.Run("S8 a zone has a bound, and who asks for another does not wait for it", func(t *testing.T) {
		x := newTurns(workers)
		for i := range 20 {
			x.ask(fmt.Sprint("192.0.2.", i), false, "dead.example", "dead.example")
		}
		x.ask("192.0.2.100", false, "dead.example", "live.example")
		taken, list := x.all()
		if len(list) != workers/zonePart+1 || taken["192.0.2.100"] != 1 {
			t.Errorf("%v", taken)
		}
		x.done(list[0])
		if _, more := x.all(); len(more) != 1 {
			t.Errorf("%d take the place of one", len(more))
		}
	})
	t.Run("S8 a source has a bound, a stranger a smaller one, the /56 of IPv6 too", func(t *testing.T) {
		x := newTurns(workers)
		x.ask("192.0.2.1", false, zonesOf(100)...)
		x.ask("192.0.2.2", true, zonesOf(100)...)
		for i := range 100 {
			x.ask(fmt.Sprintf("2001:db8:0:%x::1", i), true, zonesOf(100)[i])
		}
		taken, _ := x.all()
		if taken["192.0.2.1"] != workers/sourcePart || taken["192.0.2.2"] != workers/strangerPart || taken["2001:db8::"] != workers/strangerPart {
			t.Errorf("%v", taken)
		}
	})
	t.Run("S8 strangers together have half, and others do not wait for them", func(t *testing.T) {
		x := newTurns(workers)
		for i := range 200 {
			x.ask(fmt.Sprint("192.0.2.", i), true, fmt.Sprintf("z%d.example", i))
		}
		_, list := x.all()
		if len(list) != workers/2 {
			t.Errorf("%d are asked for strangers", len(list))
		}
		x.ask("198.51.100.1", false, "live.example")
		if taken, _ := x.all(); taken["198.51.100.1"] != 1 {
			t.Errorf("%v", taken)
		}
		for _, i := range list {
			x.done(i)
		}
		if _, list := x.all(); len(list) != 200-workers/2 {
			t.Errorf("%d are asked afterwards", len(list))
		}
	})
	t.Run("S8 askers take turns", func(t *testing.T) {
		x := newTurns(4)
		x.ask("", false, "a.example", "b.example", "c.example", "d.example")
		x.ask("192.0.2.1", false, "e.example")
		first, second := x.pop(), x.pop()
		if first.lane == second.lane {
			t.Error("one asker goes before another twice")
		}
	})
	t.Run("S8 nothing is left of what is over", func(t *testing.T) {
		x := newTurns(4)
		for i := range 100 {
			x.ask(fmt.Sprint("192.0.2.", i), i%2 == 0, "a.example", "b.example")
		}
		for i := x.pop(); i != nil; i = x.pop() {
			x.done(i)
		}
		if len(x.lanes)+len(x.order)+len(x.zones)+x.strangers != 0 {
			t.Errorf("%d lanes, %d queues, %d zones, %d of strangers", len(x.lanes), len(x.order), len(x.zones), x.strangers)
		}
	})
	t.Run("S8 nothing is left of what has been asked in another's name", func(t *testing.T) {
		x := newTurns(4)
		i := &inquiry{question: question{"a.example", typeA}, zone: "a.example"}
		stranger := Asker{Source: netip.MustParseAddr("192.0.2.1"), Stranger: true}
		x.add(i, stranger)
		x.add(i, Asker{})
		if x.pop() != i || x.pop() != nil {
			t.Error("it is not asked once")
		}
		x.done(i)
		if len(x.lanes)+len(x.order) != 0 {
			t.Errorf("%d lanes, %d queues", len(x.lanes), len(x.order))
		}
	})
	t.Run("S8 look-ups that wait have a bound for a source, and for strangers", func(t *testing.T) {
		x := newTurns(workers)
		count := func(a Asker) (n int) {
			for ; n < DefaultMaxPending && x.admit(a, DefaultMaxPending); n++ {
			}
			return n
		}
		a := Asker{Source: netip.MustParseAddr("192.0.2.1")}
		b := Asker{Source: netip.MustParseAddr("192.0.2.2"), Stranger: true}
		if n := count(a); n != DefaultMaxPending/sourceWaits {
			t.Errorf("%d of a source", n)
		}
		if n := count(b); n != DefaultMaxPending/strangerWaits {
			t.Errorf("%d of a stranger", n)
		}
		x.dismiss(b)
		if n := count(b); n != 1 {
			t.Errorf("%d when one is over", n)
		}
		if n := count(Asker{}); n != DefaultMaxPending {
			t.Errorf("%d of the server itself", n)
		}
	})
}

func TestZoneOf(t *testing.T) {
	for name, want := range map[string]string{
		"h1.dead.example.net": "dead.example.net", "_sip._udp.h1.dead.example.net": "dead.example.net", "www.example.net": "example.net",
		"example.net": "example.net", "_sips._tcp.example.net": "example.net", "localhost": "localhost", "": "", "_sip": "",
	} {
		if got := zoneOf(name); got != want {
			t.Errorf("the zone of %q is %q, want %q", name, got, want)
		}
	}
}

func TestSilences(t *testing.T) {
	subscriber, stranger := Asker{}, Asker{Stranger: true}
	now := time.Unix(1e9, 0)
	t.Run("S8 a zone is silent when some questions in a row were not answered", func(t *testing.T) {
		s := silences{}
		for range silentAfter - 1 {
			s.unanswered("dead.example.net", now)
		}
		if s.silent("dead.example.net", subscriber, now) {
			t.Error("too early")
		}
		s.answered("dead.example.net")
		for range silentAfter - 1 {
			s.unanswered("dead.example.net", now)
		}
		if s.silent("dead.example.net", subscriber, now) {
			t.Error("what was answered between does not count")
		}
		if !s.unanswered("dead.example.net", now) || !s.silent("dead.example.net", subscriber, now) {
			t.Error("it is not silent")
		}
		if s.silent("example.net", stranger, now) || s.silent("live.example.net", stranger, now) {
			t.Error("its neighbours are silent")
		}
	})
	t.Run("S8 one tries a silent zone again, and then all do", func(t *testing.T) {
		s := silences{}
		for range silentAfter {
			s.unanswered("dead.example.net", now)
		}
		at := now.Add(failureTTL)
		if s.silent("dead.example.net", subscriber, at) || !s.try("dead.example.net", at) || !s.silent("dead.example.net", subscriber, at) {
			t.Error("not one is let through")
		}
		s.unanswered("dead.example.net", at.Add(4*time.Second))
		if at = at.Add(4*time.Second + maxSilence); s.silent("dead.example.net", subscriber, at) {
			t.Error("it is left alone for too long")
		}
		s.answered("dead.example.net")
		if len(s) != 0 {
			t.Errorf("%d zones are left", len(s))
		}
	})
	t.Run("S8 labels without end do not make zones without end for strangers", func(t *testing.T) {
		s := silences{}
		for i := range silentAbove {
			s.unanswered(fmt.Sprintf("x%d.dead.example.net", i), now)
		}
		if !s.silent("y.dead.example.net", stranger, now) {
			t.Error("a stranger asks on")
		}
		if s.silent("y.dead.example.net", subscriber, now) {
			t.Error("a subscriber is kept from a zone that nobody has asked")
		}
	})
	t.Run("S8 they are bounded", func(t *testing.T) {
		s := silences{}
		for i := range 2 * maxSilent {
			s.unanswered(fmt.Sprintf("z%d.example", i), now)
		}
		if len(s) > maxSilent+maxAbove {
			t.Errorf("%d zones", len(s))
		}
	})
}
