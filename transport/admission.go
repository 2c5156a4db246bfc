package transport

import (
	"net/netip"
	"sync"
	"time"
)

// admission counts connections, in all and per source, and refuses what is over a limit. TLS handshakes over
// theirs wait for their turn: after a power cut the phones of a company all come at once, from one address.
//
// A connection that we open counts among all. Among those of its peer's address it is counted apart: phones
// that fill what their NAT may open do not keep us from a next hop behind the same address, nor the other
// way round.
type admission struct {
	limits *Limits

	mu      sync.Mutex
	all     use
	sources map[netip.Addr]use
}

type use struct {
	conns   int           // of all: every one; of a source: that it opened
	ours    int           // that we opened, or are opening
	opening int           // of ours
	turns   chan struct{} // holds one for each handshake under way; of a source nil before its first
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

// enterDial admits a connection that we are to open, or says what it is over; opened follows, and leave.
func (a *admission) enterDial(host netip.Addr) (refused counter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.sources[host]
	switch {
	case a.all.conns >= a.limits.MaxConns, a.all.ours >= max(1, a.limits.MaxConns/oursShare):
		return refusedConns
	case u.ours >= a.limits.MaxConnsPerSource:
		return refusedSource
	case a.all.opening >= a.limits.MaxDials, u.opening >= max(1, a.limits.MaxDials/dialShare):
		return refusedDials
	}
	a.all.conns++
	a.all.ours++
	a.all.opening++
	u.ours++
	u.opening++
	a.sources[host] = u
	return noCounter
}

// opened ends the opening of a connection, with success or without.
func (a *admission) opened(host netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.opening--
	u := a.sources[host]
	u.opening--
	a.sources[host] = u
}

// leave takes a connection off; ours is one that we opened.
func (a *admission) leave(source netip.Addr, ours bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.conns--
	u := a.sources[source]
	if ours {
		a.all.ours--
		u.ours--
	} else {
		u.conns--
	}
	if u.conns == 0 && u.ours == 0 {
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
