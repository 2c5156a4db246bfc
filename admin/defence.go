package admin

import (
	"net/netip"
	"time"
)

// Defence is what is known of those who guess passwords and names.
type Defence struct {
	Sources []DefenceEntry `json:"sources"` // the worst first; users at a source, and over all, are among them
	Rules   []DefenceRule  `json:"rules"`   // of administrators, by source
	More    bool           `json:"more"`    // there are more sources than were asked for
}

// DefenceEntry is a source, a user at a source, or, without a source, a user over all sources.
type DefenceEntry struct {
	Standing  string     `json:"standing"`         // open, throttled or refused; of a user over all sources: open or attacked
	Source    string     `json:"source,omitempty"` // 192.0.2.1, or 2001:db8::/64; a /56 stands beside its /64s
	User      string     `json:"user,omitempty"`   // or its beginning
	Passwords int        `json:"passwords"`        // that were wrong
	Names     int        `json:"names"`            // of nobody
	Passed    int        `json:"passed_over"`      // attempts that were not looked at
	Since     time.Time  `json:"since"`            // the first that is remembered
	Last      time.Time  `json:"last"`             // attempt
	Until     *time.Time `json:"until"`            // that it is refused; null: it is not
}

// DefenceRule is an administrator's word on a source.
type DefenceRule struct {
	Action string     `json:"action"` // allow: nothing is counted for it; deny: every request of it is refused
	Source string     `json:"source"`
	Until  *time.Time `json:"until"` // null: for good
}

// Forgotten is what was forgotten.
type Forgotten struct {
	Rules   int `json:"rules"`
	Records int `json:"records"` // sources and users
}

// shortPrefix writes a single address as such.
func shortPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
