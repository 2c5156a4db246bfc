package transport

import (
	"net/netip"
	"sync"
	"time"
)

// admission counts connections, in all and per source, and refuses what is over a limit. TLS handshakes over
// theirs wait for their turn: after a power cut the phones of a company all come at once, from one address.
type admission struct {
	limits *Limits

	mu      sync.Mutex
	all     use
	sources map[netip.Addr]use
}

type use struct {
	conns int
	turns chan struct{} // holds one for each handshake under way; of a source nil before its first
}

func newAdmission(limits *Limits) admission {
	return admission{limits: limits, sources: map[netip.Addr]use{},
		all: use{turns: make(chan struct{}, limits.MaxHandshakes)}}
}

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
	a.all.conns++
	u.conns++
	a.sources[source] = u
	return noCounter
}

func (a *admission) leave(source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.conns--
	u := a.sources[source]
	if u.conns--; u.conns == 0 {
		delete(a.sources, source)
	} else {
		a.sources[source] = u
	}
}

// enterHandshake admits the handshake of a connection that was admitted. It waits while too many are under
// way, first for its source's, so that a source that stalls stands in nobody's way but its own; at most for
// the time of a handshake.
func (a *admission) enterHandshake(source netip.Addr, stop <-chan struct{}) (refused counter) {
	patience := time.NewTimer(a.limits.Handshake)
	defer patience.Stop()
	own := a.turnsOf(source)
	if refused := waitTurn(own, patience.C, stop); refused != noCounter {
		return refused
	}
	refused = waitTurn(a.all.turns, patience.C, stop)
	if refused != noCounter {
		<-own
	}
	return refused
}

func waitTurn(turns chan<- struct{}, over <-chan time.Time, stop <-chan struct{}) (refused counter) {
	select {
	case turns <- struct{}{}:
		return noCounter
	case <-over:
		return refusedHandshakes
	case <-stop:
		return closedShutdown
	}
}

func (a *admission) leaveHandshake(source netip.Addr) {
	<-a.all.turns
	<-a.turnsOf(source)
}

// turnsOf is the turns of a source that has a connection, and with it an entry.
func (a *admission) turnsOf(source netip.Addr) chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.sources[source]
	if u.turns == nil {
		u.turns = make(chan struct{}, max(1, a.limits.MaxHandshakes/handshakeShare))
		a.sources[source] = u
	}
	return u.turns
}
