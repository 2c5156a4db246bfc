package transport

import (
	"net/netip"
	"slices"

	"biloxi/sip"
)

// Open returns the flow to a peer that a request is to be sent to. It does not wait.
//
// UDP: the socket of ours that reaches the peer. Local is the address that a datagram will leave by, of
// which [Transport.Send] takes no other; Serial is 0.
//
// TCP and TLS: a connection of ours that is open to (tr, to, serverName), or one that is begun now: Serial
// is fixed at once, what Send is given meanwhile waits, and Local's port is 0 until it is open, which makes it
// no other flow: a connection is known by its Serial. serverName
// is the domain that the peer's certificate must be of (RFC 5922 §7.3); it means nothing on TCP.
//
// The errors are ErrFlow if no socket fits, ErrTo if `to` is no address of a host, ErrFull if too many
// connections are ours or being opened, and ErrClosed. That a connection cannot be opened is told later, to
// [Config.Undelivered], of each message; its flow is then not alive.
func (t *Transport) Open(tr sip.Transport, to netip.AddrPort, serverName string) (sip.Flow, error) {
	if to.Port() == 0 || !isHost(to.Addr()) {
		return sip.Flow{}, ErrTo
	}
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	switch tr {
	case sip.UDP:
		local, _, ok := t.local(tr, to.Addr())
		if !ok {
			return sip.Flow{}, ErrFlow
		}
		return sip.Flow{Transport: tr, Local: local, Remote: to}, nil
	case sip.TCP, sip.TLS:
		local, bound := t.localStream(tr, to.Addr())
		// RFC 3261 §18.1.1: a connection that is open to the same address, port and transport is to be used.
		c, err := t.connection(newHop(tr, to, serverName), local.Addr(), bound)
		if err != nil {
			return sip.Flow{}, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.flow, nil
	}
	return sip.Flow{}, ErrFlow
}

// Alive reports whether something can be sent over flow: UDP: a socket of ours has its local address.
// Streams: its connection is open, or being opened.
func (t *Transport) Alive(flow sip.Flow) bool {
	if flow.Transport == sip.UDP {
		return slices.ContainsFunc(t.sockets, func(s *socket) bool { return s.has(flow.Local) })
	}
	c := t.conns.find(flow.Serial)
	return c != nil && c.is(flow) && c.alive()
}

// Keep lets the connection of a flow live until it is idle, from any goroutine: something is under way on it that takes
// its time. It stays a stranger's, unlike after [Out.Authenticated], and gives way as such. On UDP it means nothing.
func (t *Transport) Keep(flow sip.Flow) {
	if c := t.conns.find(flow.Serial); c != nil && c.is(flow) {
		c.kept.Store(true)
	}
}
