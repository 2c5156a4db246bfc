package registrar

import (
	"math"
	"net/netip"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// What to do with a Path in a request of a UA that does not say Supported: path (RFC 3327 §5.3).
const (
	// PathRefuse answers 420 with Unsupported: path, so that the UA learns that a proxy added a Path that
	// it did not ask for. RFC 3327 recommends it, and it is the default.
	PathRefuse = "refuse"

	// PathAccept stores the Path all the same, for edges that add one to every REGISTER.
	PathAccept = "accept"
)

// What to do with a reg-id that cannot count, because the first hop is a proxy that does not do outbound, while the
// UA says Supported: outbound (RFC 5626 §6).
const (
	// OutboundRefuse answers 439, as RFC 5626 has it, so that the UA tries another proxy or goes without. It is
	// the default.
	OutboundRefuse = "refuse"

	// OutboundIgnore takes the contact as one without a reg-id, and the 200 has no Require: outbound: for phones
	// that do not go without after a 439, behind a load balancer that knows no outbound.
	OutboundIgnore = "ignore"
)

// What to do with a contact more than an AOR may have, when none of the others is known to be of no use: with both,
// one whose connection has closed makes room first, then one that looks like an earlier address of the same phone.
const (
	// WhenFullRefuse answers 500 with Retry-After. It is the default.
	WhenFullRefuse = "refuse"

	// WhenFullOldest has the contact make room that was refreshed longest ago.
	WhenFullOldest = "oldest"
)

// Config is a registrar's policy. The zero Config is usable. Durations count in whole seconds.
type Config struct {
	DefaultExpires     time.Duration // of a SIP contact that asks for none; 0: one hour
	MinExpires         time.Duration // what is briefer and under an hour gets 423; 0: no minimum
	MaxExpires         time.Duration // what a SIP contact gets at most; 0: no maximum
	MaxContacts        int           // live bindings of one AOR; 0: DefaultMaxContacts
	Jitter             float64       // 0 to 0.5: a SIP contact's expiry is shortened by up to this share; 0: not
	LenientCSeq        bool          // take a CSeq that is not higher, from phones that restart a Call-ID at 1
	PathWithoutSupport string        // PathRefuse or PathAccept; empty: PathRefuse
	ServiceRoute       []string      // Service-Route values of every 200, in order (RFC 3608); empty: none

	FirstHopWithoutOutbound string         // OutboundRefuse or OutboundIgnore; empty: OutboundRefuse
	WhenFull                string         // WhenFullRefuse or WhenFullOldest; empty: WhenFullRefuse
	Flows                   location.Flows // the connections that are open; nil: all count as open

	// Place says what the host of a contact, or of its first Path value, is, that somebody at source registers; nil:
	// all are Elsewhere.
	Place    func(u sip.URI, source netip.Addr) Place
	AtSource bool // take only contacts that are reached where they are registered from, or are Own
}

// Registrar is a policy, ready for use. It is not changed by use and serves any number of goroutines.
type Registrar struct {
	defaultExpires uint32 // seconds, from here on
	minExpires     uint32
	maxExpires     uint32
	maxContacts    int
	maxRecord      int // bytes of live bindings of one AOR
	jitter         float64
	lenientCSeq    bool
	acceptPath     bool
	serviceRoute   []byte // whole header lines
	ignoreOutbound bool
	dropOldest     bool
	flows          location.Flows
	place          func(u sip.URI, source netip.Addr) Place
	atSource       bool
}

// New returns a registrar of that policy. Values that contradict each other are drawn together: the
// minimum is not over the maximum, and the default lies between the two.
func New(cfg Config) *Registrar {
	r := &Registrar{
		place:       cfg.Place,
		atSource:    cfg.AtSource,
		minExpires:  wholeSeconds(cfg.MinExpires+time.Second-1, 0),
		maxExpires:  max(wholeSeconds(cfg.MaxExpires, neverSeconds), 1),
		maxContacts: cfg.MaxContacts,
		jitter:      min(max(cfg.Jitter, 0), 0.5),
		lenientCSeq: cfg.LenientCSeq,
		acceptPath:  cfg.PathWithoutSupport == PathAccept,

		ignoreOutbound: cfg.FirstHopWithoutOutbound == OutboundIgnore,
		dropOldest:     cfg.WhenFull == WhenFullOldest,
		flows:          cfg.Flows,
	}
	r.minExpires = min(r.minExpires, r.maxExpires)
	r.defaultExpires = wholeSeconds(cfg.DefaultExpires, 3600)
	r.defaultExpires = min(max(r.defaultExpires, r.minExpires, 1), r.maxExpires)
	if r.maxContacts <= 0 {
		r.maxContacts = DefaultMaxContacts
	}
	r.maxRecord = max(leastRecord, r.maxContacts*recordShare)
	for _, route := range cfg.ServiceRoute {
		r.serviceRoute = sip.AppendFieldString(r.serviceRoute, sip.HeaderServiceRoute, bracketed(route))
	}
	return r
}

// wholeSeconds is d in seconds, rounded down; none if d is 0 or less.
func wholeSeconds(d time.Duration, none uint32) uint32 {
	if d <= 0 {
		return none
	}
	return uint32(min(int64(d/time.Second), math.MaxUint32))
}

// bracketed makes a name-addr of a bare URI, since a route is always one (RFC 3608 §5).
func bracketed(route string) string {
	if _, err := sip.ParseURI([]byte(route)); err == nil {
		return "<" + route + ">"
	}
	return route
}
