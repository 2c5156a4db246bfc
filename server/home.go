package server

import (
	"net/netip"
	"time"

	"biloxi/location"
	"biloxi/proxy"
	"biloxi/sip"
)

// A relay is the [proxy.Home] of its target set: it knows the configuration that the request began with.

// Alive implements location.Flows.
func (r *relay) Alive(flow sip.Flow) bool { return r.server.transport.Alive(flow) }

// Lead implements proxy.Home. A contact that leads to this server by any name, address or maddr of its is inside; it is
// forwarded in the name of whoever registered it, so that nobody is asked for credentials, and takes the [[route]] that
// their own call would take.
func (r *relay) Lead(u sip.URI, source netip.Addr) proxy.Lead {
	self := r.state.self
	if maddr, ok := u.Params.Value("maddr"); ok {
		if self.Is(maddr, u.Port) && !self.Is(u.Host, u.Port) {
			return proxy.Lead{Place: proxy.Inside} // what it names is nobody's here
		}
		if !self.Is(maddr, u.Port) {
			return r.outside(maddr, source)
		}
	}
	own := self.Is(u.Host, u.Port)
	if way := r.state.routing.forward(&u, own, source); way > 0 {
		return proxy.Lead{Route: way}
	}
	if !own {
		return r.outside(u.Host, source)
	}
	d := r.state.domains.find(u.Host).domain
	if d == nil || u.User == nil {
		return proxy.Lead{Place: proxy.Inside}
	}
	r.aor = location.AppendAOR(r.aor[:0], u.User, d.name)
	return proxy.Lead{Place: proxy.Inside, AOR: r.aor}
}

// outside is where a contact leads that does not lead here.
func (r *relay) outside(host []byte, source netip.Addr) (lead proxy.Lead) {
	if r.state.routing.reserved.bars(host, source) {
		lead.Place = proxy.Barred
	}
	return lead
}

// viewing is what a look at the location service needs.
type viewing struct {
	record location.Record
	bytes  []byte // what record refers to
}

// View implements proxy.Home.
func (r *relay) View(now time.Time, aor []byte, visit func(*location.Record)) bool {
	s := r.server
	user, domain := location.CutAOR(aor)
	if _, ok := s.subscribers.Lookup(user, domain); !ok {
		return false
	}
	v := s.viewings.Get().(*viewing)
	defer s.viewings.Put(v)
	var some bool
	if v.bytes, some = s.location.View(now, aor, &v.record, v.bytes[:0]); !some {
		v.record.Bindings = v.record.Bindings[:0]
	}
	visit(&v.record)
	return true
}

// Passed implements proxy.Home: a Path that names this server first has brought the request where it was to go.
func (r *relay) Passed(path []byte) []byte {
	for len(path) > 0 {
		first, rest, err := sip.NextNameAddr(path)
		if err != nil || !first.URI.IsSIP() || !r.state.self.Is(first.URI.Host, first.URI.Port) {
			return path
		}
		path = rest
	}
	return nil
}

// way are the next hops that the configuration has for a leg; none: its URIs lead.
func (r *relay) way(l *leg) []hop {
	if t := r.ctx.Target(l.branch); t.Route > 0 {
		return r.state.routing.list[t.Route-1].hops
	}
	return r.hops
}
