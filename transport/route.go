package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"biloxi/sip"
)

// routes remembers which address of ours the system sends from to a peer.
type routes struct {
	mu    sync.Mutex
	known map[netip.Addr]route
}

type route struct {
	from  netip.Addr
	until time.Duration // Transport.now
}

// source is the address of ours that the system sends from to a peer; invalid if it knows no way there.
func (t *Transport) source(peer netip.Addr) netip.Addr {
	now, r := t.now(), &t.routes
	r.mu.Lock()
	known, ok := r.known[peer]
	r.mu.Unlock()
	if ok && now < known.until {
		return known.from
	}
	from := askRoute(peer)
	if !from.IsValid() {
		return from
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.known) >= maxRoutes {
		clear(r.known)
	}
	r.known[peer] = route{from, now + routeLife}
	return from
}

// askRoute has the system choose: a UDP socket that is connected sends nothing and waits for nothing.
func askRoute(peer netip.Addr) netip.Addr {
	const discard = 9 // any port
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, discard)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return addrPort(c.LocalAddr()).Addr().WithZone("")
}

// local chooses the address of ours to send to a peer from: that of a listener that the system would choose
// too; one bound to all addresses, with the address that the system chooses; any other that reaches the
// peer. ok is false if none does. bound is where the listener is bound, which is all of its addresses or
// this one.
func (t *Transport) local(tr sip.Transport, peer netip.Addr) (local netip.AddrPort, bound netip.Addr, ok bool) {
	var from netip.Addr
	if t.cfg.ListenPacket == nil && t.cfg.Dial == nil {
		from = t.source(peer)
	}
	var all, other *endpoint
	for i := range t.bound {
		e := &t.bound[i]
		a := e.flow.Local.Addr()
		switch {
		case e.flow.Transport != tr || !e.reaches(peer):
		case a == from:
			return e.flow.Local, a, true
		case e.wildcard && all == nil:
			all = e
		// Nothing leaves the host from a loopback address, not even to an address of its own.
		case !e.wildcard && other == nil && (!a.IsLoopback() || peer.IsLoopback() || peer == from):
			other = e
		}
	}
	switch {
	case all != nil && from.IsValid():
		return netip.AddrPortFrom(from, all.flow.Local.Port()), all.flow.Local.Addr(), true
	case other != nil:
		return other.flow.Local, other.flow.Local.Addr(), true
	case all != nil:
		return all.flow.Local, all.flow.Local.Addr(), true
	}
	return netip.AddrPortFrom(from, 0), netip.Addr{}, false
}

// localStream chooses the address of ours to open a connection from: that of a listener of the transport, or
// else of any, so that peers know us by the addresses that we are configured with.
func (t *Transport) localStream(tr sip.Transport, peer netip.Addr) (local netip.AddrPort, bound netip.Addr) {
	for _, of := range []sip.Transport{tr, sip.TCP, sip.TLS, sip.UDP} {
		var ok bool
		if local, bound, ok = t.local(of, peer); ok {
			break
		}
	}
	return local, bound
}
