package defence

import (
	"net/netip"
	"time"
)

// Policy is what a table goes by. Another may be given with each call.
type Policy struct {
	// Tries is how many wrong passwords, or names of nobody, a source has at once before it is throttled; a /56 of
	// IPv6 has a quarter more. One user has half of them for each source. At least 1.
	Tries int

	// Window is the time in which a source gets its tries back, one after the other. More than zero.
	Window time.Duration

	// Interval is how often an attempt of a throttled source is looked at; all of its /56 have one turn.
	Interval time.Duration

	// RefuseAfter is how many attempts, counted as Tries are, have a source refused. More than Tries.
	RefuseAfter int

	// Refuse is for how long.
	Refuse time.Duration

	// Exempt are sources that nothing is counted for.
	Exempt []netip.Prefix
}

// Exempts reports whether nothing is counted for an address.
func (p *Policy) Exempts(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, one := range p.Exempt {
		if one.Contains(a) {
			return true
		}
	}
	return false
}

// tries is how many a record of a kind has.
func (p *Policy) tries(k Kind) int {
	switch k {
	case Network:
		return p.Tries + p.Tries/4
	case UserAtSource:
		return max(p.Tries/2, 1)
	case User:
		return attackTries
	}
	return p.Tries
}

// cost is the time after which a record gets one try back.
func (p *Policy) cost(k Kind) int64 { return max(int64(p.Window)/int64(p.tries(k)), 1) }

// most is how many are held against a record at the most: with them a source is refused.
func (p *Policy) most(k Kind) int {
	if k == User {
		return 2 * attackTries
	}
	return p.RefuseAfter
}
