package transport

import (
	"net/netip"
	"sync"
)

// admission counts connections and TLS handshakes, in all and per source, and refuses what is over a limit.
type admission struct {
	limits *Limits

	mu      sync.Mutex
	all     use
	sources map[netip.Addr]use
}

type use struct{ conns, handshakes int }

// sourceOf is what counts as one source: an IPv4 address, or an IPv6 /64, since a host has all of it.
func sourceOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

// enter admits a connection or says what it is over.
func (a *admission) enter(source netip.Addr) (refused counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.sources[source]
	switch {
	case a.all.conns >= a.limits.MaxConns:
		return refusedConns
	case u.conns >= a.limits.MaxConnsPerSource:
		return refusedSource
	}
	a.put(source, u, 1, 0)
	return noCounter
}

func (a *admission) leave(source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(source, a.sources[source], -1, 0)
}

// enterHandshake admits the handshake of a connection that was admitted.
func (a *admission) enterHandshake(source netip.Addr) (refused counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.sources[source]
	if a.all.handshakes >= a.limits.MaxHandshakes || u.handshakes >= max(1, a.limits.MaxHandshakes/handshakeShare) {
		return refusedHandshakes
	}
	a.put(source, u, 0, 1)
	return noCounter
}

func (a *admission) leaveHandshake(source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.put(source, a.sources[source], 0, -1)
}

func (a *admission) put(source netip.Addr, u use, conns, handshakes int) {
	a.all.conns += conns
	a.all.handshakes += handshakes
	u.conns += conns
	u.handshakes += handshakes
	if u == (use{}) {
		delete(a.sources, source)
	} else {
		a.sources[source] = u
	}
}
