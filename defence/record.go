package defence

import (
	"net/netip"
	"time"
)

// Kind is whom a record is about.
type Kind uint8

// The kinds.
const (
	Source       Kind = iota // an IPv4 address, or a /64 of IPv6
	Network                  // a /56 of IPv6
	UserAtSource             // one user, as a source tries it
	User                     // one user, over all sources
)

// Standing is how a source, or a user, is treated.
type Standing uint8

// The standings, the better first.
const (
	Open      Standing = iota
	Throttled          // one attempt in a while is looked at. Of a [User]: attacked, each source has fewer tries
	Refused            // none is, for a while
)

var standingNames = [...]string{"open", "throttled", "refused"}

func (s Standing) String() string { return standingNames[s] }

// record is what is known of one.
type record struct {
	network  network // zero: a user over all sources
	guess    debt    // wrong passwords
	ask      debt    // names of nobody
	guest    debt    // wrong passwords of users who are registered from a source that is not open; of the wide record
	next     int64   // when a turn is free; of the wide record
	until    int64   // of one that is refused
	since    int64   // the first that was wrong
	last     int64   // the last attempt
	guesses  uint32
	asked    uint32
	delayed  uint32
	kind     Kind
	standing Standing
	length   uint8 // of the name
	name     [maxName]byte
}

// level is how much is held against a record, of what it has most of.
func (r *record) level(now int64, p *Policy) int {
	cost := p.cost(r.kind)
	return max(r.guess.level(now, cost), r.ask.level(now, cost))
}

// idle reports whether a record says nothing any more.
func (r *record) idle(now int64, p *Policy) bool {
	return r.standing == Open && r.level(now, p) == 0 && int64(r.guest) <= now && now-r.last >= int64(p.Window)
}

// weigh sets the standing by what is held against a record, and tells if it changed.
func (r *record) weigh(now int64, p *Policy, told *Told) {
	level, tries := r.level(now, p), p.tries(r.kind)
	switch {
	case r.kind != User && level >= p.RefuseAfter && r.standing < Refused:
		r.standing, r.until = Refused, now+int64(p.Refuse)
		told.add(r, Refused, p.Refuse)
	case level >= tries && r.standing < Throttled:
		r.standing = Throttled
		told.add(r, Throttled, 0)
	}
}

// settle lets in whom time has let in.
func (r *record) settle(now int64, p *Policy, told *Told) {
	switch r.standing {
	case Refused:
		if now < r.until {
			return
		}
		r.guess, r.ask, r.guest = 0, 0, 0
	case Throttled:
		if r.level(now, p) > p.tries(r.kind)/2 {
			return
		}
	default:
		return
	}
	r.standing = Open
	told.add(r, Open, 0)
}

// turn takes the turn of a throttled source, if it is free.
func (r *record) turn(now int64, p *Policy) bool {
	if now < r.next {
		return false
	}
	r.next = now + int64(p.Interval)
	return true
}

// Told is what changed with one call: at most a source, its network and a user.
type Told struct {
	list [4]Change
	n    int
}

// Change is a source, or a user, whose standing has changed.
type Change struct {
	Kind     Kind
	Standing Standing      // from now on
	Source   netip.Prefix  // zero for a [User]
	For      time.Duration // that it is refused
	Guesses  int           // wrong passwords since it was first counted
	Unknown  int           // names of nobody
	name     [maxName]byte
	length   uint8
}

// User is the user's name, or its beginning; empty for a source.
func (c *Change) User() string { return string(c.name[:c.length]) }

// Changes are what changed.
func (t *Told) Changes() []Change { return t.list[:t.n] }

func (t *Told) add(r *record, s Standing, d time.Duration) {
	if t.n == len(t.list) {
		return
	}
	t.list[t.n] = Change{Kind: r.kind, Standing: s, Source: r.network.prefix(), For: d, Guesses: int(r.guesses), Unknown: int(r.asked),
		name: r.name, length: r.length}
	t.n++
}
