package proxy

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// Target is one place that a request may be forwarded to (RFC 3261 §16.5).
type Target struct {
	URI      []byte   // the Request-URI of its copy (§16.6 step 2); nil: that of the Received
	Routes   []byte   // a comma list that its copy's Route begins with; nil if there is none
	Flow     sip.Flow // that it was registered over, to be used (RFC 5626 §7); zero: URI and Routes lead to it
	Secure   bool     // TLS whatever the URI says: it was registered as sips (RFC 5630 §5.3)
	Q        sip.Q
	Instance []byte // whose contact it is (RFC 5626 §4.1); nil if it did not say
	RegID    uint32
	Source   netip.Addr // that it was registered from; not valid: the location service has not given it
	Route    int        // a way of the configuration's, as its [Lead] has it

	// FlowLast says that Flow is for when the URI leads nowhere, or to that flow's other end. It may have gone.
	FlowLast bool

	rank    uint64
	always  bool  // Flow is to be used, whatever Route has
	updated int64 // when it was registered or refreshed, in Unix milliseconds
	state   targetState
}

// targetState is how far a target has got in its response context.
type targetState uint8

const (
	waiting targetState = iota // its turn has not come
	ready                      // it is its turn, as soon as Max-Breadth has room
	tried                      // a branch has been started for it, or nothing will be
)

// TargetSet is where a request may be forwarded to. The zero TargetSet is empty; Reset readies it for another
// request without losing its memory. It keeps copies of all that it is given.
type TargetSet struct {
	// Responsible says that the Request-URI is one of our own users, so that targets may be added later: those
	// of a 3xx (RFC 3261 §16.5).
	Responsible bool

	targets []Target // by falling rank, those of one rank in the order in which they are to be tried
	secure  bool     // the request has a sips Request-URI
	buf     []byte   // what the targets' slices point into
	nonSIP  int      // contacts with another scheme
	barred  int      // sip contacts of a request for sips
	dead    int      // contacts whose flow has gone
	looped  int      // contacts that lead to who has been visited, or too far
	unknown int      // contacts that lead to this element and to nobody there
	empty   int      // users without a contact

	home     Home
	now      time.Time
	visits   []visit // addresses-of-record, each once
	explored int     // how many of them have been looked up
}

// Reset empties the set.
func (s *TargetSet) Reset() {
	clear(s.targets)
	clear(s.visits)
	*s = TargetSet{targets: s.targets[:0], buf: s.buf[:0], visits: s.visits[:0]}
}

// Len is the number of targets.
func (s *TargetSet) Len() int { return len(s.targets) }

// Target returns target i; it is the set's own.
func (s *TargetSet) Target(i int) *Target { return &s.targets[i] }

// Only makes the Request-URI the only target, unchanged, by way of routes, a comma list, if there are any.
//
// RFC 3261 §16.5: a Request-URI with a maddr, or of a domain that we are not responsible for.
func (s *TargetSet) Only(in *Received, routes []byte) {
	s.Reset()
	s.secure = in.URI.Scheme == sip.SchemeSIPS
	s.targets = append(s.targets, Target{Q: 1000, rank: firstRank, Routes: s.keep(routes)})
}

// Down makes the Request-URI the only target, unchanged, over a flow that a token in its Route named (RFC 5626
// §5.3.1).
func (s *TargetSet) Down(in *Received, flow sip.Flow) {
	s.Only(in, nil)
	s.targets[0].Flow, s.targets[0].always = flow, true
}

// Bindings makes the contacts of the Request-URI's address-of-record the targets: rec is what the location service
// shows at now. routes, a comma list, is what every copy visits first, nil for nothing. Contacts that lead to other
// users here are looked up in their turn ([Received.AOR] is not, again).
func (s *TargetSet) Bindings(now time.Time, in *Received, rec *location.Record, routes []byte, home Home) {
	s.Reset()
	s.Responsible = true
	s.secure = in.URI.Scheme == sip.SchemeSIPS
	s.home, s.now = home, now
	first := visit{rank: firstRank, secure: s.secure}
	if in.AOR != nil {
		first.aor = s.keep(in.AOR)
		s.visits, s.explored = append(s.visits, first), 1
	}
	s.contacts(rec, routes, first)
	s.explore()
	s.sort()
}

// binding adds one contact, or counts why it cannot be one.
func (s *TargetSet) binding(b *location.Binding, routes []byte, v visit) {
	contact, err := sip.ParseURI(b.Contact)
	u := &contact
	switch {
	case err != nil:
		return
	case !u.IsSIP():
		s.nonSIP++
		return
	case v.secure && u.Scheme == sip.SchemeSIP:
		// RFC 5630 §5.3: what came for sips does not go on as sip.
		s.barred++
		return
	}
	t := Target{Q: b.Q, rank: ranked(v.rank, v.depth, b.Q), Instance: b.Instance, RegID: b.RegID,
		Source: b.Flow.Remote.Addr().Unmap(), updated: b.Updated}
	path := b.Path
	if path != nil {
		path = s.home.Passed(path)
	}
	if path == nil {
		if !s.reach(b, u, &t, v) {
			return
		}
	} else if s.barredFirst(path, t.Source) {
		return
	}
	if !s.add(u, t) {
		return
	}
	// RFC 3327 §5.4: the Path that was stored, behind what leads out of our own site, before any Route value of
	// the request.
	added := &s.targets[len(s.targets)-1]
	added.Instance = s.keep(b.Instance)
	added.Routes = s.join(routes, path)
}

// reach says how a contact is reached that has no Path, false if it is not, or leads to another user here.
func (s *TargetSet) reach(b *location.Binding, u *sip.URI, t *Target, v visit) bool {
	reach := b.Reach(u)
	if reach != location.ByFlow {
		switch lead := s.home.Lead(*u, t.Source); lead.Place {
		case Inside:
			s.enter(visit{aor: lead.AOR, rank: t.rank, depth: v.depth + 1, secure: u.Scheme == sip.SchemeSIPS})
			return false
		case Barred:
			return false
		default:
			t.Route = lead.Route
		}
	}
	alive := reach != location.ByURI && t.Route == 0 && s.home.Alive(b.Flow)
	switch {
	case t.Route == 0 && (alive || reach != location.ByURI && reach != location.ByFlow):
		t.Flow, t.FlowLast = b.Flow, !alive || reach == location.URIBeforeFlow
	case reach == location.ByFlow:
		// RFC 5626 §7: one that has gone takes the binding with it.
		s.dead++
		return false
	}
	return true
}

// barredFirst reports whether requests by way of a Path would go where none may.
func (s *TargetSet) barredFirst(path []byte, source netip.Addr) bool {
	first, _, err := sip.NextNameAddr(path)
	if err != nil {
		return true
	}
	return s.home.Lead(first.URI, source).Place == Barred
}

// Named reports whether a URI leads to a host by its name. A phone that gives one can be reached there when its
// connection has gone, as RFC 3261 §18 has it; where the address in a contact leads nobody knows: as a rule it is the
// end of that connection.
func Named(u *sip.URI) bool {
	_, address := u.HostAddr()
	return !address
}

// add adds a target with URI u, unless it is there or the set is full.
func (s *TargetSet) add(u *sip.URI, t Target) bool {
	if len(s.targets) == MaxTargets {
		return false
	}
	start := len(s.buf)
	t.URI, t.Secure = s.requestURI(u)
	for i := range s.targets {
		if s.targets[i].same(&t) {
			s.buf = s.buf[:start]
			return false
		}
	}
	s.targets = append(s.targets, t)
	return true
}

// same reports whether two targets are one.
//
// RFC 3261 §16.5: by the equality of their URIs. Two flows of one instance may have one URI (RFC 5626 §4.2) and are
// two: the second is for when the first fails.
func (t *Target) same(o *Target) bool {
	if t.Instance != nil && bytes.Equal(t.Instance, o.Instance) && t.RegID != o.RegID {
		return false
	}
	if bytes.Equal(t.URI, o.URI) {
		return true
	}
	a, err := sip.ParseURI(t.URI)
	b, err2 := sip.ParseURI(o.URI)
	return err == nil && err2 == nil && a.Equal(b)
}

// requestURI keeps u as a Request-URI, and says whether it was sips where that must not be seen.
//
// RFC 3261 §16.6 step 2: without what table 1 of §19.1.1 does not allow there, a method parameter and headers.
// RFC 5630 §5.3: for a sip Request-URI the scheme of a sips contact becomes sip, and TLS stays.
func (s *TargetSet) requestURI(u *sip.URI) (uri []byte, secure bool) {
	secure = u.Scheme == sip.SchemeSIPS && !s.secure
	start := len(s.buf)
	if !secure && u.Headers == nil && !u.Params.Has("method") {
		s.buf = append(s.buf, u.Raw()...)
		return s.buf[start:len(s.buf):len(s.buf)], false
	}
	bare := *u
	bare.Params, bare.Headers = nil, nil
	if secure {
		bare.SchemeName = []byte("sip")
	}
	s.buf = bare.Append(s.buf)
	s.buf = appendParamsWithout(s.buf, u.Params, "method")
	return s.buf[start:len(s.buf):len(s.buf)], secure
}

// keep copies b into the set; nil stays nil. What was kept before stays where it is: a buffer that must grow leaves
// its old memory to those that point into it.
func (s *TargetSet) keep(b []byte) []byte { return s.join(b, nil) }

// join keeps two comma lists as one.
func (s *TargetSet) join(a, b []byte) []byte {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	start := len(s.buf)
	s.buf = append(s.buf, a...)
	if len(a) > 0 && len(b) > 0 {
		s.buf = append(s.buf, ", "...)
	}
	s.buf = append(s.buf, b...)
	return s.buf[start:len(s.buf):len(s.buf)]
}

// sort puts the targets in the order in which they are tried: by falling q (RFC 3261 §16.6), of one q those of one
// instance that registered last before its others, else as they were made.
func (s *TargetSet) sort() {
	if len(s.targets) < 2 {
		return
	}
	slices.SortStableFunc(s.targets, func(a, b Target) int {
		if a.rank != b.rank {
			return cmp.Compare(b.rank, a.rank)
		}
		if a.Instance != nil && bytes.Equal(a.Instance, b.Instance) && a.updated != b.updated {
			if a.updated > b.updated {
				return -1
			}
			return 1
		}
		return 0
	})
}

// Refusal is the answer if the set is empty, nil if it is not or if NonSIP answers it (RFC 3261 §16.5, RFC 5630
// §5.3). That the user exists at all the server has seen to: else [NotFound].
func (s *TargetSet) Refusal() *Refusal {
	switch {
	case len(s.targets) > 0 || s.NonSIP():
		return nil
	case s.barred > 0:
		return SIPSNotAllowed
	case s.dead > 0:
		return Disconnected
	case s.empty > 0:
		return Unavailable
	case s.looped > 0:
		return Loop
	case s.unknown > 0:
		return NotFound
	}
	return Unavailable
}

// NonSIP reports whether the user has contacts that are no SIP URIs, and none that we could forward to: the caller
// is redirected to them.
func (s *TargetSet) NonSIP() bool { return len(s.targets) == 0 && s.nonSIP > 0 }

// Dead is the number of contacts that were passed over because their flow has gone.
func (s *TargetSet) Dead() int { return s.dead }
