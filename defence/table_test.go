package defence

import (
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func policy() *Policy {
	return &Policy{Tries: 20, Window: 15 * time.Minute, Interval: 2 * time.Second, RefuseAfter: 100, Refuse: 10 * time.Minute}
}

// play is a table with a clock that a test moves, and what it was told.
type play struct {
	*Table
	t      testing.TB
	now    time.Time
	policy *Policy
	told   []Change
}

func begin(t testing.TB) *play { return &play{Table: New(start), t: t, now: start, policy: policy()} }

// guess has a source try a wrong password, and reports what became of it.
func (p *play) guess(source, user string, history History, port uint16) Verdict {
	a := Attempt{Source: netip.MustParseAddr(source), Port: port, User: []byte(user), History: history}
	v := p.Guess(p.now, p.policy, &a)
	if v == Look {
		p.Wrong(p.now, p.policy, &a)
	}
	p.told = append(p.told, a.Changes()...)
	return v
}

// right reports whether a right password of a user is looked at.
func (p *play) right(source, user string, history History, port uint16) bool {
	a := Attempt{Source: netip.MustParseAddr(source), Port: port, User: []byte(user), History: history}
	v := p.Guess(p.now, p.policy, &a)
	p.told = append(p.told, a.Changes()...)
	return v == Look
}

// ask asks for a user whom there is not.
func (p *play) ask(source string) Verdict {
	a := Attempt{Source: netip.MustParseAddr(source)}
	v := p.Ask(p.now, p.policy, &a)
	if v == Look {
		p.Unknown(p.now, p.policy, &a)
	}
	p.told = append(p.told, a.Changes()...)
	return v
}

// flood has one attempt every so often, and counts those that were looked at.
func (p *play) flood(n int, every time.Duration, attempt func(i int) Verdict) (looked int) {
	for i := range n {
		if attempt(i) == Look {
			looked++
		}
		p.now = p.now.Add(every)
	}
	return looked
}

// Whatever a source tries, no more than 30 of its guesses are looked at in a flood, and then less than one a second.
func TestGuessesOfASource(t *testing.T) {
	for name, attempt := range map[string]func(p *play, i int) Verdict{
		"one user":       func(p *play, i int) Verdict { return p.guess("198.51.100.7", "bob@a", Stranger, 5060) },
		"rotating users": func(p *play, i int) Verdict { return p.guess("198.51.100.7", fmt.Sprint(i), Stranger, 5060) },
		"ten users":      func(p *play, i int) Verdict { return p.guess("198.51.100.7", fmt.Sprint(i%10), Stranger, 5060) },
		"rotating ports": func(p *play, i int) Verdict { return p.guess("198.51.100.7", "bob@a", Stranger, uint16(i)) },
		"names":          func(p *play, i int) Verdict { return p.ask("198.51.100.7") },
		"IPv6, one /64": func(p *play, i int) Verdict {
			return p.guess(fmt.Sprintf("2001:db8::%x", i), fmt.Sprint(i), Stranger, 5060)
		},
		"IPv6, rotating in its /56": func(p *play, i int) Verdict {
			return p.guess(fmt.Sprintf("2001:db8:0:%x::1", i%256), fmt.Sprint(i), Stranger, 5060)
		},
		"IPv6, one user, rotating in its /56": func(p *play, i int) Verdict {
			return p.guess(fmt.Sprintf("2001:db8:0:%x::1", i/7%256), "bob@a", Stranger, 5060)
		},
		"IPv6, names, rotating in its /56": func(p *play, i int) Verdict { return p.ask(fmt.Sprintf("2001:db8:0:%x::1", i%256)) },
		"an own account between, who is registered": func(p *play, i int) Verdict {
			if !p.right("198.51.100.7", "mallory@a", SameFlow, 5060) {
				t.Error("who is registered is not looked at")
			}
			return p.guess("198.51.100.7", fmt.Sprint("user", i), Stranger, 5060)
		},
		"IPv4 within IPv6": func(p *play, i int) Verdict {
			return p.guess([]string{"198.51.100.7", "::ffff:198.51.100.7"}[i%2], fmt.Sprint(i), Stranger, 5060)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t)
			if n := p.flood(2000, time.Millisecond/10, func(i int) Verdict { return attempt(p, i) }); n > 30 {
				t.Errorf("%d of 2000 guesses in a moment were looked at", n)
			}
			p = begin(t)
			before := p.flood(40, time.Millisecond, func(i int) Verdict { return attempt(p, i) })
			n := p.flood(600, 100*time.Millisecond, func(i int) Verdict { return attempt(p, i) })
			if before > 30 || n >= 60 {
				t.Errorf("%d guesses were looked at at once, and %d in the minute after", before, n)
			}
			if p.policy.RefuseAfter = 1 << 20; true { // who is never refused is still slow
				p.now = p.now.Add(time.Hour)
				p.flood(40, time.Millisecond, func(i int) Verdict { return attempt(p, i) })
				if n := p.flood(600, 100*time.Millisecond, func(i int) Verdict { return attempt(p, i) }); n < 25 || n > 31 {
					t.Errorf("%d guesses were looked at in a minute of one turn in two seconds", n)
				}
			}
		})
	}
}

// A source is throttled, refused and let in again, each is told once.
func TestSteps(t *testing.T) {
	p := begin(t)
	guess := func(i int) Verdict { return p.guess("198.51.100.7", fmt.Sprint(i), Stranger, 1) }
	p.flood(2000, time.Millisecond, guess)
	if guess(0) != Refuse {
		t.Error("who goes on is not refused")
	}
	p.now = p.now.Add(p.policy.Refuse)
	if !p.right("198.51.100.7", "bob@a", Stranger, 1) {
		t.Error("when its time is over, it is not let in")
	}
	var steps []string
	for _, c := range p.told {
		steps = append(steps, fmt.Sprint(c.Kind, " ", c.Standing, " ", c.Source, " ", c.For))
	}
	want := fmt.Sprint([]string{"0 throttled 198.51.100.7/32 0s", "0 refused 198.51.100.7/32 10m0s", "0 open 198.51.100.7/32 0s"})
	if fmt.Sprint(steps) != want {
		t.Errorf("told\n%v, want\n%v", steps, want)
	}
	if n := p.flood(25, time.Millisecond, guess); n != 21 {
		// and the first turn
		t.Errorf("after it, %d tries are looked at", n)
	}
	if p.told = nil; p.Sweep(p.now.Add(time.Hour), p.policy, func(c *Change) { p.told = append(p.told, *c) }) != 0 {
		t.Error("an hour later, something is left")
	}
	if len(p.told) != 1 || p.told[0].Standing != Open {
		t.Errorf("the sweep tells %v", p.told)
	}
}

// An office with one address: a phone with an old password is throttled alone, and who is registered from there
// is looked at whatever goes on.
func TestOffice(t *testing.T) {
	const nat = "203.0.113.5"
	p := begin(t)
	p.flood(1000, 100*time.Millisecond, func(int) Verdict { return p.guess(nat, "old@a", Stranger, 1000) })
	if v := p.guess(nat, "old@a", Stranger, 1000); v == Look {
		t.Error("a phone that tries without end is looked at")
	}
	for i := range 50 {
		if !p.right(nat, fmt.Sprint("phone", i), Stranger, uint16(2000+i)) {
			t.Fatal("a neighbour who has not registered yet is not looked at")
		}
	}
	// And then somebody in the office tries names.
	p.flood(1000, time.Millisecond, func(i int) Verdict { return p.guess(nat, fmt.Sprint("name", i), Stranger, 3000) })
	for i := range 50 {
		user := fmt.Sprint("phone", i)
		if !p.right(nat, user, Registered, uint16(4000+i)) || !p.right(nat, user, SameFlow, uint16(2000+i)) {
			t.Fatal("a neighbour who is registered is not looked at")
		}
	}
	if p.right(nat, "new@a", Stranger, 5000) {
		t.Error("a source that is refused has strangers looked at")
	}
	// They know who is registered there, and try those: few tries in all, and the phones themselves go on.
	n := p.flood(1000, time.Millisecond, func(i int) Verdict {
		return p.guess(nat, fmt.Sprint("phone", i%50), Registered, 3000)
	})
	if n > 11 {
		t.Errorf("%d guesses at users who are registered there were looked at", n)
	}
	for i := range 50 {
		if !p.right(nat, fmt.Sprint("phone", i), SameFlow, uint16(2000+i)) {
			t.Fatal("a phone that tries by its own connection is not looked at")
		}
	}
	if n := p.flood(100, time.Millisecond, func(int) Verdict { return p.guess(nat, "phone1", SameFlow, 2001) }); n > attackedTries+1 {
		t.Errorf("%d guesses by a phone's own connection were looked at", n)
	}
}

// Some phones of an office that try old passwords without end have it throttled, and themselves refused: a new phone
// there finds its turn by sending again, as phones do over UDP.
func TestOfficeOfOldPasswords(t *testing.T) {
	const nat = "203.0.113.5"
	p := begin(t)
	p.flood(4000, 20*time.Millisecond, func(i int) Verdict { return p.guess(nat, fmt.Sprint("old", i%4), Stranger, uint16(1000+i%4)) })
	for i := range 20 {
		looked := false
		for _, again := range []time.Duration{0, 500, 1000, 2000, 4000, 4000, 4000, 4000} { // RFC 3261 §17.1.2.2
			p.flood(int(again/20), 20*time.Millisecond, func(i int) Verdict { return p.guess(nat, fmt.Sprint("old", i%4), Stranger, uint16(1000+i%4)) })
			if looked = p.right(nat, fmt.Sprint("new", i), Stranger, uint16(5000+i)); looked {
				break
			}
		}
		if !looked {
			t.Fatalf("new phone %d is not looked at in 20 s", i)
		}
	}
}

// Many readers at once look at no more than as many guesses as they are themselves beyond the tries.
func TestConcurrentGuesses(t *testing.T) {
	table, p := New(start), policy()
	var looked atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				a := Attempt{Source: netip.MustParseAddr("198.51.100.7"), User: fmt.Append(nil, i%50)}
				table.Watched(a.Source)
				if table.Guess(start, p, &a) == Look {
					looked.Add(1)
					table.Wrong(start, p, &a)
				}
				if i%100 == 0 {
					table.Sweep(start, p, func(*Change) {})
					table.List(start, p, 10)
				}
			}
		})
	}
	all.Wait()
	if n := looked.Load(); n > 30 {
		t.Errorf("%d guesses were looked at", n)
	}
}

// A user who is attacked from many sources is looked at from an address of their own, at once; each source has few
// tries of them.
func TestUserUnderAttack(t *testing.T) {
	p := begin(t)
	source := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }
	for i := range 3000 {
		p.guess(source(i), "bob@a", Stranger, 1)
	}
	attacked := 0
	for _, c := range p.told {
		if c.Kind == User && c.User() == "bob@a" {
			attacked++
		}
	}
	if attacked != 1 {
		t.Errorf("that bob is attacked is told %d times: %v", attacked, p.told)
	}
	if !p.right("192.0.2.9", "bob@a", Stranger, 1) {
		t.Error("the user himself is not looked at")
	}
	if n := p.flood(30, 0, func(int) Verdict { return p.guess("192.0.2.10", "bob@a", Stranger, 1) }); n > attackedTries+1 {
		t.Errorf("a source has %d tries of a user who is attacked", n)
	}
	if n := p.flood(30, 0, func(int) Verdict { return p.guess("192.0.2.11", "carol@a", Stranger, 1) }); n != 11 {
		t.Errorf("a source has %d tries of another user", n) // ten, and its first turn
	}
	p.now = p.now.Add(2 * p.policy.Window)
	if n := p.flood(30, 0, func(int) Verdict { return p.guess("192.0.2.12", "bob@a", Stranger, 1) }); n != 11 {
		t.Errorf("after the attack a source has %d tries", n)
	}
}

// A million sources take no more than the bound, and the worst of those before them stays known.
func TestMillionSources(t *testing.T) {
	p := begin(t)
	p.flood(2000, 0, func(i int) Verdict { return p.guess("198.51.100.7", fmt.Sprint(i), Stranger, 1) })
	before := heap()
	for i := range 1 << 20 {
		a := Attempt{Source: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), User: []byte("bob@a")}
		if p.Guess(p.now, p.policy, &a) == Look {
			p.Wrong(p.now, p.policy, &a)
		}
	}
	if c := p.Counts(); c.Records > 65536 || c.Evicted == 0 {
		t.Errorf("%+v", c)
	}
	if grown := heap() - before; grown > 12<<20 {
		t.Errorf("the table grew by %d bytes", grown)
	} else {
		t.Logf("%d bytes for a million sources, %d each record", grown, unsafe.Sizeof(record{}))
	}
	if p.right("198.51.100.7", "bob@a", Stranger, 1) {
		t.Error("the one that was refused before is forgotten for them")
	}
	if !p.right("192.0.2.9", "bob@a", Stranger, 1) {
		t.Error("the user himself is not looked at")
	}
	// In a full table, too, a newcomer is counted.
	if n := p.flood(1000, 0, func(i int) Verdict { return p.guess("192.0.2.77", fmt.Sprint(i), Stranger, 1) }); n > 30 {
		t.Errorf("in a full table, a source has %d tries", n)
	}
	if left := p.Sweep(p.now.Add(24*time.Hour), p.policy, func(*Change) {}); left != 0 {
		t.Errorf("a day later %d are left", left)
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("a day later, %d bytes are left", grown)
	}
	runtime.KeepAlive(p)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What is judged and counted allocates nothing, once the table has grown.
func TestAllocations(t *testing.T) {
	p := begin(t)
	a := Attempt{Source: netip.MustParseAddr("2001:db8::7"), User: []byte("bob@a"), Port: 7, History: SameFlow}
	once := func() {
		a.Told = Told{}
		p.Watched(a.Source)
		p.Guess(p.now, p.policy, &a)
		p.Wrong(p.now, p.policy, &a)
		p.Ask(p.now, p.policy, &a)
		p.Unknown(p.now, p.policy, &a)
		p.Challenge(p.now, p.policy, &a)
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestForget(t *testing.T) {
	p := begin(t)
	fill := func() {
		p.flood(40, 0, func(i int) Verdict { return p.guess("198.51.100.7", fmt.Sprint(i%2), Stranger, 1) })
		p.flood(40, 0, func(i int) Verdict { return p.guess("2001:db8::7", fmt.Sprint(i), Stranger, 1) })
	}
	fill()
	list := p.List(p.now, p.policy, 3)
	if len(list) != 3 || list[0].Standing < list[2].Standing || list[0].Guesses+list[0].Delayed == 0 {
		t.Errorf("%+v", list)
	}
	if n := p.Forget(netip.MustParsePrefix("198.51.100.0/24")); n != 3 || !p.right("198.51.100.7", "x", Stranger, 1) {
		t.Errorf("%d records of a source and its two users are forgotten", n)
	}
	if n := p.Forget(netip.MustParsePrefix("2001:db8::7/128")); n < 20 || !p.right("2001:db8::7", "x", Stranger, 1) {
		t.Errorf("%d records of an IPv6 source are forgotten", n)
	}
	if p.ForgetAll(); p.Counts().Records != 0 {
		t.Error("after all is forgotten, something is there")
	}
	fill()
	if n := p.ForgetUser([]byte("1")); n != 3 { // over all, and at both sources
		t.Errorf("%d records of a user are forgotten", n)
	}
}

func TestRules(t *testing.T) {
	rules, err := NewRules([]Rule{
		{Action: Deny, Source: netip.MustParsePrefix("198.51.100.0/24")},
		{Action: Allow, Source: netip.MustParsePrefix("198.51.100.7/32")},
		{Action: Deny, Source: netip.MustParsePrefix("203.0.113.0/24"), Until: start.Add(time.Hour)},
		{Action: Deny, Source: netip.MustParsePrefix("::/0")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]Action{"198.51.100.8": Deny, "198.51.100.7": Allow, "::ffff:198.51.100.7": Allow,
		"203.0.113.1": Deny, "192.0.2.1": "", "2001:db8::1": Deny} {
		if got, _ := rules.Find(start, netip.MustParseAddr(address)); got.Action != want {
			t.Errorf("%s: %q, want %q", address, got.Action, want)
		}
	}
	if _, ok := rules.Find(start.Add(time.Hour), netip.MustParseAddr("203.0.113.1")); ok || len(rules.List(start.Add(time.Hour))) != 3 {
		t.Error("a rule outlives its time")
	}
	if _, ok := (*Rules)(nil).Find(start, netip.MustParseAddr("192.0.2.1")); ok {
		t.Error("no rules have one")
	}
	for _, bad := range []Rule{{Action: "ban", Source: netip.MustParsePrefix("10.0.0.0/8")}, {Action: Deny, Source: netip.MustParsePrefix("10.1.0.0/8")}, {Action: Deny}} {
		if _, err := NewRules([]Rule{bad}); err == nil {
			t.Errorf("%v is a rule", bad)
		}
	}
	many := make([]Rule, MaxRules+1)
	for i := range many {
		many[i] = Rule{Action: Deny, Source: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)}
	}
	if _, err := NewRules(many); err != ErrRules {
		t.Error(err)
	}
}

func BenchmarkWatched(b *testing.B) {
	for _, c := range []struct {
		name string
		full bool
	}{{"empty", false}, {"full", true}} {
		b.Run(c.name, func(b *testing.B) {
			p := begin(b)
			if c.full {
				for i := range 100000 {
					p.guess(fmt.Sprintf("10.0.%d.%d", i>>8&255, i&255), "bob@a", Stranger, 1)
				}
			}
			a := netip.MustParseAddr("192.0.2.9")
			for b.Loop() {
				p.Watched(a)
			}
		})
	}
}
