package config

import (
	"fmt"
	"net/netip"
	"time"
)

// Defence says what becomes of those who guess passwords, or ask for one name after the other.
type Defence struct {
	Mode        DefenceMode   `toml:"mode"`
	Tries       int           `toml:"tries"`        // wrong passwords, or names of nobody, that a source has before it is throttled
	Window      Duration      `toml:"window"`       // in which it gets them back
	Interval    Duration      `toml:"interval"`     // between two attempts of a throttled source that are looked at
	RefuseAfter int           `toml:"refuse_after"` // attempts, counted as tries are, that have a source refused
	Refuse      Duration      `toml:"refuse"`       // for how long it is
	Answer      DefenceAnswer `toml:"answer"`       // what it gets meanwhile
	HideUsers   bool          `toml:"hide_users"`   // strangers get the same for a user who does not exist and one who is not registered
	Exempt      []Prefix      `toml:"exempt"`       // sources that nothing is counted for; empty: none but [proxy] trusted
}

// DefenceMode says whether guessing is met.
type DefenceMode string

// The modes.
const (
	DefenceOn    DefenceMode = "on"    // who guesses is throttled, and then refused
	DefenceWatch DefenceMode = "watch" // it is counted and logged, and let through
	DefenceOff   DefenceMode = "off"   // nothing is counted
)

// UnmarshalText reads one of the modes.
func (m *DefenceMode) UnmarshalText(b []byte) error {
	return choose(m, "mode", b, DefenceOn, DefenceWatch, DefenceOff)
}

// DefenceAnswer says what a source gets that is refused.
type DefenceAnswer string

// The answers.
const (
	DefenceForbids DefenceAnswer = "403"
	DefenceSilent  DefenceAnswer = "silence" // none at all
)

// UnmarshalText reads one of the answers.
func (a *DefenceAnswer) UnmarshalText(b []byte) error {
	return choose(a, "answer", b, DefenceForbids, DefenceSilent)
}

// defaultDefence is the [defence] of a server that says nothing about it. It holds on the Internet: nobody who
// mistypes comes near it, and who guesses has 20 tries, or 25 from all of an IPv6 /56, and then less than one a second.
func defaultDefence() Defence {
	return Defence{
		Mode:        DefenceOn,
		Tries:       20,
		Window:      Duration(15 * time.Minute),
		Interval:    Duration(2 * time.Second), // a phone's retransmissions find a turn in their 32 s
		RefuseAfter: 100,
		Refuse:      Duration(10 * time.Minute),
		Answer:      DefenceForbids,
	}
}

func (s *source) validateDefence(d *Defence) {
	s.between("defence.tries", d.Tries, 1, maxTries)
	s.fromTo("defence.window", d.Window, Duration(time.Minute), Duration(24*time.Hour))
	s.fromTo("defence.interval", d.Interval, Duration(time.Second), Duration(time.Minute))
	if d.RefuseAfter <= d.Tries || d.RefuseAfter > maxRefuseAfter {
		s.fail(s.given("defence.refuse_after", "defence.tries"), "refuse_after is %d; it is more than tries (%d) and at most %d", d.RefuseAfter, d.Tries, maxRefuseAfter)
	}
	s.fromTo("defence.refuse", d.Refuse, Duration(time.Second), Duration(7*24*time.Hour))
	for i, p := range d.Exempt {
		if netip.Prefix(p).Bits() == 0 {
			s.fail(fmt.Sprintf("defence.exempt.%d", i), "%q exempts everybody; to count nothing, write mode = \"off\"", p)
		}
	}
}

func (s *source) fromTo(path string, d, low, high Duration) {
	if d < low || d > high {
		s.fail(path, "%s is %s; it is from %s to %s", last(path), d, low, high)
	}
}
