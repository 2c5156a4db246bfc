package server

import (
	"net/netip"
	"sync"

	"biloxi/proxy"
)

// answerers are addresses that have answered a request of ours which were not known otherwise. Who is silent may be
// somebody that another wants flooded: they get a request a few times and no more, until they have answered one.
//
// The oldest half is forgotten when there are too many; then a phone there gets a few copies the next time, too.
type answerers struct {
	mu           sync.Mutex
	newer, older map[netip.Addr]struct{}
}

// note notes that somebody has answered.
func (a *answerers) note(addr netip.Addr) {
	addr = addr.Unmap()
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.newer[addr]; known {
		return
	}
	if a.newer == nil || len(a.newer) == maxAnswerers/2 {
		a.newer, a.older = map[netip.Addr]struct{}{}, a.newer
	}
	a.newer[addr] = struct{}{}
}

// has reports whether somebody has answered from there.
func (a *answerers) has(addr netip.Addr) bool {
	addr = addr.Unmap()
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.newer[addr]
	if !known {
		_, known = a.older[addr]
	}
	return known
}

// isUnproven reports whether nobody knows that there is somebody at the address that a branch goes to who takes
// requests: it is a contact's, that was not registered from there, the configuration does not name it, and it has
// answered nothing. Where callers themselves want to go, a stranger may not, and others answer for it; RFC 3261's timers
// are theirs.
func (r *relay) isUnproven(l *leg, t *proxy.Target, addr netip.Addr) bool {
	addr = addr.Unmap()
	if !r.ctx.Targets.Responsible || r.proved || len(r.way(l)) > 0 || t.Source == addr || r.state.routing.trusts(addr) {
		return false
	}
	return !r.server.answerers.has(addr)
}

// most is how often a branch's copy is sent to an unproven address over UDP while nothing comes; 0 if none of it may
// go there any more. The first few addresses of a request get a copy again, should one be lost.
func (r *relay) most(l *leg) uint8 {
	addr, all, there := l.target.Addr.Addr(), 0, 0
	for _, o := range r.legs {
		if o == l || !o.unproven {
			continue
		}
		if all++; o.target.Addr.Addr() == addr {
			there++
		}
	}
	switch {
	case there >= maxUnprovenBranches:
		return 0
	case there > 0 || all >= maxUnprovenPatience:
		return 1
	}
	return unprovenCopies
}
