package proxy

import (
	"net/netip"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// Home is what a target set asks of the element that it is made in: what leads there, and who lives there. The server
// implements it for each request. Its methods are called while the set is made and while a 3xx is followed.
type Home interface {
	location.Flows

	// Lead says where a contact leads that somebody at source registered, or gave in a 3xx. Source is not valid where
	// nobody knows. An AOR that it gives out is valid until the next call.
	Lead(u sip.URI, source netip.Addr) Lead

	// View has visit see what the location service shows of an address-of-record at now; false if nobody has it. The
	// record is valid during the call.
	View(now time.Time, aor []byte, visit func(*location.Record)) bool

	// Passed is a list of Path values without those at its beginning that name this element; nil if none is left.
	Passed(path []byte) []byte
}

// Lead is where a contact leads.
type Lead struct {
	Place Place
	AOR   []byte // of Inside, as the location service has it; nil: nobody is reached by it
	Route int    // of Outside: a way that the configuration has for it, counted from 1; 0: where its URI leads
}

// Place says whether a contact leads to this element.
type Place uint8

// The places.
const (
	Outside Place = iota // another element, or a phone
	Inside               // this element: one of its users, or nobody
	Barred               // where a contact may not lead: nobody is called there
)

// visit is an address-of-record that is to be looked up, and how it was come by.
type visit struct {
	aor    []byte
	rank   uint64
	depth  int
	secure bool // it was called as sips: a sip contact of its is barred (RFC 5630 §5.3)
}

// A rank is the order of a target among all: the q of each contact that led to it, the first one in the highest bits.
// What was not led to so far has q=1 there.
const rankBits = 10

// ranked is a rank with the q of a contact at that depth.
func ranked(rank uint64, depth int, q sip.Q) uint64 {
	shift := rankBits * (MaxDepth - 1 - depth)
	const all = 1<<rankBits - 1
	return rank&^(all<<shift) | uint64(q)<<shift
}

// firstRank is that of a target whose contacts all have q=1.
var firstRank = func() (rank uint64) {
	for depth := range MaxDepth {
		rank = ranked(rank, depth, 1000)
	}
	return rank
}()

// enter notes that an address-of-record is to be looked up, once.
//
// RFC 5393 §4.2 finds out that a request has come back when it has. What would come back to this element is not sent at
// all: a contact that names one of its users is looked up at once (RFC 3261 §16.5: the target set may have what the
// location service gives for it), and no user twice, whatever led there.
func (s *TargetSet) enter(v visit) {
	if v.aor == nil {
		s.unknown++
		return
	}
	for i := range s.visits {
		if string(s.visits[i].aor) == string(v.aor) {
			s.looped++
			return
		}
	}
	if len(s.visits) == MaxAORs || v.depth >= MaxDepth {
		s.looped++
		return
	}
	v.aor = s.keep(v.aor)
	s.visits = append(s.visits, v)
}

// explore looks up the addresses-of-record that have been entered and not looked up, and those that they lead to.
func (s *TargetSet) explore() {
	for s.explored < len(s.visits) {
		v := s.visits[s.explored]
		s.explored++
		if !s.home.View(s.now, v.aor, func(rec *location.Record) { s.contacts(rec, nil, v) }) {
			s.unknown++
		}
	}
}

// contacts adds the contacts of an address-of-record.
func (s *TargetSet) contacts(rec *location.Record, routes []byte, v visit) {
	ms, some := s.now.UnixMilli(), false
	for i := range rec.Bindings {
		if b := &rec.Bindings[i]; !b.Removed && b.Expires > ms {
			s.binding(b, routes, v)
			some = true
		}
	}
	if !some {
		s.empty++
	}
}

// follow adds what a contact of a 3xx leads to, which t gave (RFC 3261 §16.5). False: nobody may be called there, and
// the contact is for the caller to decide on.
func (s *TargetSet) follow(now time.Time, u *sip.URI, q sip.Q, t *Target) bool {
	rank, source := ranked(firstRank, 0, q), t.Source
	s.now = now
	if s.home == nil {
		s.add(u, Target{Q: q, rank: rank, Source: source})
		return true
	}
	switch lead := s.home.Lead(*u, source); lead.Place {
	case Barred:
		return false
	case Inside:
		s.enter(visit{aor: lead.AOR, rank: rank, depth: 1, secure: u.Scheme == sip.SchemeSIPS})
		s.explore()
	default:
		s.add(u, Target{Q: q, rank: rank, Source: source, Route: lead.Route})
	}
	return true
}
