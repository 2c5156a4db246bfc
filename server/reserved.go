package server

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"biloxi/config"
	"biloxi/registrar"
	"biloxi/resolve"
	"biloxi/sip"
)

// reserved are the hosts that no contact may lead to: next hops of the configuration and trusted peers. They take a
// request from us for one that we let through, and a contact there would let anybody's through, past every [[route]].
// Somebody at such a host may register themselves.
type reserved struct {
	names   map[string]bool     // of next hops, as hosts are compared
	addrs   map[netip.Addr]bool // of next hops that are given so
	trusted []config.Prefix
	lookups []*hopLookup

	mu    sync.RWMutex
	found map[netip.Addr]bool // what DNS says of names
}

// newReserved collects the hosts of a routing.
func newReserved(r *routing) *reserved {
	v := &reserved{names: map[string]bool{}, addrs: map[netip.Addr]bool{}, trusted: r.trusted, found: map[netip.Addr]bool{}}
	v.add(r.outbound)
	for i := range r.list {
		v.add(r.list[i].hops)
		if r.list[i].trusted {
			v.trusted = append(v.trusted[:len(v.trusted):len(v.trusted)], r.list[i].source...)
		}
	}
	return v
}

func (v *reserved) add(hops []hop) {
	for i := range hops {
		u := &hops[i].uri
		host := u.Host
		if maddr, ok := u.Params.Value("maddr"); ok {
			host = maddr
		}
		if addr, ok := hostAddr(host); ok {
			v.addrs[addr] = true
			continue
		}
		v.names[string(canonicalHost(nil, host))] = true
		v.lookups = append(v.lookups, &hopLookup{reserved: v, uri: *u})
	}
}

// hostAddr is a host's address, false if it is a name.
func hostAddr(host []byte) (netip.Addr, bool) {
	u := sip.URI{Host: host}
	addr, ok := u.HostAddr()
	return addr.Unmap(), ok
}

// bars reports whether nobody at source may have a contact at a host. What a name leads to it knows of next hops alone.
func (v *reserved) bars(host []byte, source netip.Addr) bool {
	if addr, ok := hostAddr(host); ok {
		return v.barsAddr(addr, source)
	}
	if len(v.names) == 0 {
		return false
	}
	var buf [maxHost]byte
	return v.names[string(canonicalHost(buf[:0], host))]
}

// barsAddr is bars for an address. Who comes from a trusted peer may be relayed to any of them.
func (v *reserved) barsAddr(addr, source netip.Addr) bool {
	addr = addr.Unmap()
	if addr == source {
		return false
	}
	if v.addrs[addr] || contains(v.trusted, addr) && !contains(v.trusted, source) {
		return true
	}
	if len(v.lookups) == 0 {
		return false
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.found[addr]
}

// hopLookup asks DNS where the name of a next hop leads.
type hopLookup struct {
	reserved *reserved
	uri      sip.URI
	targets  resolve.Targets
	busy     sync.Mutex // a look-up is under way
}

// learn asks for the addresses of all names again. What DNS has said before stays: a contact may be made for it at any
// time.
func (v *reserved) learn(r *resolve.Resolver) {
	for _, l := range v.lookups {
		if !l.busy.TryLock() {
			continue
		}
		if ready, err := r.Lookup(resolve.Query{URI: &l.uri}, &l.targets, l); ready || err != nil {
			l.Resolved(err)
		}
	}
}

// learnHops keeps what is known of the names of next hops up to date until ctx ends.
func (s *Server) learnHops(ctx context.Context) {
	ticker := time.NewTicker(hopRefresh)
	defer ticker.Stop()
	for {
		s.state.Load().routing.reserved.learn(s.resolver)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Resolved implements resolve.Done.
func (l *hopLookup) Resolved(err error) {
	v := l.reserved
	v.mu.Lock()
	for _, t := range l.targets.All() {
		if err == nil && len(v.found) < maxHopAddresses {
			v.found[t.Addr.Addr().Unmap()] = true
		}
	}
	v.mu.Unlock()
	l.busy.Unlock()
}

// place is what the registrar is told of a contact's host ([registrar.Config]).
func (s *Server) place(u sip.URI, source netip.Addr) registrar.Place {
	st := s.state.Load()
	host := u.Host
	if maddr, ok := u.Params.Value("maddr"); ok {
		host = maddr
	}
	switch {
	case st.self.Is(host, u.Port):
		return registrar.Own
	case st.routing.reserved.bars(host, source):
		return registrar.Barred
	}
	return registrar.Elsewhere
}
