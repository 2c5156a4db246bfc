package siptest

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"biloxi/sip"
)

// Sockets is what an agent opens its sockets on: a [Network], or the real one of package net ([System]).
type Sockets interface {
	ListenPacket(network, address string) (net.PacketConn, error)
	Listen(network, address string) (net.Listener, error)
	Dial(ctx context.Context, network, from, to string) (net.Conn, error)
}

// System are the sockets of the system.
type System struct{}

// ListenPacket is net.ListenPacket.
func (System) ListenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

// Listen is net.Listen.
func (System) Listen(network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

// Dial dials from the IP address of from; its port is of no account.
func (System) Dial(ctx context.Context, network, from, to string) (net.Conn, error) {
	local, err := netip.ParseAddrPort(from)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local.Addr(), 0))}
	return d.DialContext(ctx, network, to)
}

// Hop is where an agent sends to, or who sent to it: a transport and an address, and with what came over
// a stream that very connection.
type Hop struct {
	Transport sip.Transport
	Addr      netip.AddrPort
	stream    *agentStream
}

// Over is the hop at an IP address, with a port or the transport's default one. It panics if it is none,
// which is a fault of the test.
func Over(t sip.Transport, address string) Hop {
	if a, err := netip.ParseAddr(address); err == nil {
		return Hop{Transport: t, Addr: netip.AddrPortFrom(a, t.DefaultPort())}
	}
	return Hop{Transport: t, Addr: netip.MustParseAddrPort(address)}
}

// String is "UDP 192.0.2.222:5060".
func (h Hop) String() string { return fmt.Sprintf("%s %s", h.Transport, h.Addr) }

// SendTo has an agent's request go to a hop instead of the usual one.
func SendTo(h Hop) Edit { return func(r *Request) { r.hop = &h } }
