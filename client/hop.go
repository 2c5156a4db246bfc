package client

import (
	"context"
	"net"
	"net/netip"
	"time"

	"biloxi/sip"
)

// attempt is one place where a request may be taken: what is behind one address of a server.
type attempt struct {
	transport sip.Transport
	addr      netip.AddrPort
	name      string // over TLS: whose certificate is to be there
}

// hop is an attempt that something can be sent over.
type hop struct {
	flow  sip.Flow
	to    netip.AddrPort
	local netip.AddrPort // for a Via and a Contact; over TCP with the port that we listen at
}

// locate finds the places of the servers, in their order. identity is the domain that the request is for: over
// TLS to a server that is given by its address, its certificate will do as well as one for the address.
func (a *Agent) locate(servers []Server, identity string, then func([]attempt, error)) {
	var found []attempt
	var failed error
	var step func()
	step = func() {
		if len(servers) == 0 {
			if len(found) > 0 {
				failed = nil
			}
			then(found, failed)
			return
		}
		s := servers[0]
		servers = servers[1:]
		a.lookup(s, func(addrs []netip.AddrPort, err error) {
			if err != nil && failed == nil {
				failed = &ConnectError{Server: s, Err: err}
			}
			for _, addr := range addrs {
				found = append(found, attempts(s, addr, identity)...)
			}
			step()
		})
	}
	step()
}

// attempts are those of one address.
func attempts(s Server, addr netip.AddrPort, identity string) []attempt {
	one := attempt{transport: s.Transport, addr: addr}
	if s.Transport != sip.TLS {
		return []attempt{one}
	}
	one.name = s.Host
	if _, isAddr := s.addr(); !isAddr || identity == "" || identity == s.Host {
		return []attempt{one}
	}
	other := one
	other.name = identity
	return []attempt{one, other}
}

// lookup finds the addresses of a server, now or later.
func (a *Agent) lookup(s Server, then func([]netip.AddrPort, error)) {
	if addr, ok := s.addr(); ok {
		then([]netip.AddrPort{netip.AddrPortFrom(addr, s.Port)}, nil)
		return
	}
	a.lookups.Go(func() {
		ctx, cancel := context.WithTimeout(a.ctx, lookupTimeout)
		defer cancel()
		found, err := a.cfg.Lookup(ctx, s.Host)
		if err == nil && len(found) == 0 {
			err = errNoAddress
		}
		var addrs []netip.AddrPort
		for _, addr := range found[:min(len(found), maxAddresses)] {
			addrs = append(addrs, netip.AddrPortFrom(addr.Unmap(), s.Port))
		}
		a.inbox.post(func() { then(addrs, err) })
	})
}

// open makes a hop of an attempt, now or later.
func (a *Agent) open(at attempt, then func(hop, error)) {
	if h, ok := a.hops[at]; ok && a.transport.Alive(h.flow) {
		then(h, nil)
		return
	}
	flow, err := a.transport.Open(at.transport, at.addr, at.name)
	if err != nil {
		then(hop{}, err)
		return
	}
	local := flow.Local
	if local.Port() == 0 {
		// Our Via has to say where we are, which is known when the connection is there.
		if local, ok := a.dialled[at.addr]; ok {
			then(a.opened(at, flow, local), nil)
			return
		}
		a.dialing[at.addr] = append(a.dialing[at.addr], func(local netip.AddrPort, err error) {
			if err != nil {
				then(hop{}, err)
				return
			}
			then(a.opened(at, flow, local), nil)
		})
		return
	}
	then(a.opened(at, flow, local), nil)
}

func (a *Agent) opened(at attempt, flow sip.Flow, local netip.AddrPort) hop {
	h := a.hopOf(flow, at.addr, local)
	if len(a.hops) >= hopsKept {
		clear(a.hops)
	}
	a.hops[at] = h
	return h
}

// hopOf is the hop of a flow.
func (a *Agent) hopOf(flow sip.Flow, to, local netip.AddrPort) hop {
	h := hop{flow: flow, to: to, local: local}
	if local.Addr().IsUnspecified() {
		h.local = netip.AddrPortFrom(source(to), local.Port())
	}
	// RFC 3261 §18.1.1: sent-by names the port that we listen at, where there is one.
	for _, bound := range a.transport.Addrs() {
		if bound.Transport == flow.Transport && flow.Transport.Reliable() {
			h.local = netip.AddrPortFrom(local.Addr(), bound.Local.Port())
		}
	}
	a.sentBy.add(h.local)
	return h
}

// source is the address that a datagram to a peer leaves by: what a connected socket says, which sends nothing.
func source(to netip.AddrPort) netip.Addr {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.IPv4Unspecified()
	}
	defer conn.Close()
	return addrPort(conn.LocalAddr()).Addr()
}

// back is the hop to whoever sent something over flow.
func (a *Agent) back(flow sip.Flow) hop { return a.hopOf(flow, flow.Remote, flow.Local) }

// dial opens a connection for the transport, and tells the loop what address it got.
func (a *Agent) dial(ctx context.Context, network, from, to string) (net.Conn, error) {
	nc, err := a.cfg.Dial(ctx, network, from, to)
	remote, e := netip.ParseAddrPort(to)
	if e == nil {
		var local netip.AddrPort
		if err == nil {
			local = addrPort(nc.LocalAddr())
		}
		a.inbox.post(func() { a.connected(remote, local, err) })
	}
	return nc, err
}

func dialSystem(ctx context.Context, network, from, to string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	if at, err := netip.ParseAddrPort(from); err == nil {
		d.LocalAddr = net.TCPAddrFromAddrPort(at)
	}
	return d.DialContext(ctx, network, to)
}

// connected is the end of a dial.
func (a *Agent) connected(to, local netip.AddrPort, err error) {
	waiting := a.dialing[to]
	delete(a.dialing, to)
	if err == nil {
		a.dialled[to] = local
	}
	for _, then := range waiting {
		then(local, err)
	}
}

// closed is the end of a connection.
func (a *Agent) closed(flow sip.Flow) {
	delete(a.dialled, flow.Remote)
	for at, h := range a.hops {
		if h.flow.Serial == flow.Serial {
			delete(a.hops, at)
		}
	}
	if r, ok := a.role.(interface{ closed(sip.Flow) }); ok {
		r.closed(flow)
	}
}
