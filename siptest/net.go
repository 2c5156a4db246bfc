// Package siptest holds what tests share: a simulated network that runs in virtual time with a wiretap, phones
// that register ([Phone]) and agents that call ([Agent]) from it, a name server ([DNS]), and the suites that every
// store must pass. Only tests import it.
package siptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	simFirstPort = 49152 // of those that the network chooses
	simBacklog   = 128   // connections that wait for Accept
	simInbox     = 8192  // datagrams that wait for ReadFrom; more are lost
	simWindow    = 64 << 10
)

// Network is a simulated network: UDP sockets and TCP connections between IP addresses, in memory. All
// waiting in it is on channels and timers that it makes itself, so that a Network made inside a bubble of
// testing/synctest runs in the bubble's time.
//
// Every address exists: an address is bound by ListenPacket, Listen and Dial. The zero Link carries at
// once and loses nothing. Its methods may be called from any goroutine.
type Network struct {
	mu        sync.Mutex
	link      Link
	chance    chance
	script    func(Packet) []time.Duration
	tap       *Wiretap
	number    int
	flight    flight
	nextPort  map[netip.Addr]uint16
	packets   map[netip.AddrPort]*PacketConn
	listeners map[netip.AddrPort]*simListener
	conns     map[[2]netip.AddrPort]struct{} // local and remote of each end
}

// NewNetwork returns a network that carries everything at once.
func NewNetwork() *Network {
	n := &Network{
		nextPort:  map[netip.Addr]uint16{},
		packets:   map[netip.AddrPort]*PacketConn{},
		listeners: map[netip.AddrPort]*simListener{},
		conns:     map[[2]netip.AddrPort]struct{}{},
	}
	n.SetLink(Link{})
	return n
}

// ListenPacket binds a UDP socket to an IP address and a port (0: one is chosen). The network is udp, udp4
// or udp6; what it returns is a [*PacketConn].
func (n *Network) ListenPacket(network, address string) (net.PacketConn, error) {
	a, err := simAddress("udp", network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.Port() == 0 {
		a = n.choosePort(a.Addr())
	}
	if n.packets[a] != nil {
		return nil, simError("listen", "udp", a, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	p := newPacketConn(n, a)
	n.packets[a] = p
	return p, nil
}

// Listen binds a TCP listener to an IP address and a port (0: one is chosen). The network is tcp, tcp4 or
// tcp6.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	a, err := simAddress("tcp", network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if a.Port() == 0 {
		a = n.choosePort(a.Addr())
	}
	if n.listeners[a] != nil {
		return nil, simError("listen", "tcp", a, os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &simListener{net: n, addr: a, backlog: make(chan *Conn, simBacklog), closed: make(chan struct{})}
	n.listeners[a] = l
	return l, nil
}

// Dial opens a TCP connection from an address of the caller's (port 0 or left away: one is chosen) to a
// listener; it takes one round trip. Nobody listening is "connection refused". What it and Accept return is
// a [*Conn].
func (n *Network) Dial(ctx context.Context, network, from, to string) (net.Conn, error) {
	if a, err := netip.ParseAddr(from); err == nil {
		from = netip.AddrPortFrom(a, 0).String()
	}
	local, err := simAddress("tcp", network, from)
	if err != nil {
		return nil, err
	}
	remote, err := simAddress("tcp", network, to)
	if err != nil {
		return nil, err
	}
	if err := n.pause(ctx, 2*n.latency()); err != nil {
		return nil, simError("dial", "tcp", remote, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if local.Port() == 0 {
		local = n.choosePort(local.Addr())
	}
	if _, taken := n.conns[[2]netip.AddrPort{local, remote}]; taken {
		return nil, simError("dial", "tcp", remote, os.NewSyscallError("connect", syscall.EADDRINUSE))
	}
	l := n.listeners[remote]
	if l == nil {
		return nil, simError("dial", "tcp", remote, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	near, far := newSimConns(n, local, remote)
	select {
	case l.backlog <- far:
	default:
		return nil, simError("dial", "tcp", remote, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	n.conns[[2]netip.AddrPort{local, remote}] = struct{}{}
	n.conns[[2]netip.AddrPort{remote, local}] = struct{}{}
	return near, nil
}

// Host is one address of a network, for those who speak from there.
type Host struct {
	Network *Network
	Addr    netip.Addr
}

// Host returns the host at an IP address; it panics if ip is none, which is a fault of the test.
func (n *Network) Host(ip string) Host { return Host{n, netip.MustParseAddr(ip)} }

// ListenPacket binds a UDP socket to a port of the host, 0 for any.
func (h Host) ListenPacket(port uint16) (*PacketConn, error) {
	p, err := h.Network.ListenPacket("udp", netip.AddrPortFrom(h.Addr, port).String())
	if err != nil {
		return nil, err
	}
	return p.(*PacketConn), nil
}

// Listen binds a TCP listener to a port of the host, 0 for any.
func (h Host) Listen(port uint16) (net.Listener, error) {
	return h.Network.Listen("tcp", netip.AddrPortFrom(h.Addr, port).String())
}

// Dial opens a TCP connection from the host.
func (h Host) Dial(ctx context.Context, to string) (net.Conn, error) {
	return h.Network.Dial(ctx, "tcp", netip.AddrPortFrom(h.Addr, 0).String(), to)
}

// choosePort returns a port that nothing at addr uses; n.mu is held.
func (n *Network) choosePort(addr netip.Addr) netip.AddrPort {
	next := n.nextPort[addr]
	for {
		if next < simFirstPort {
			next = simFirstPort
		}
		a := netip.AddrPortFrom(addr, next)
		next++
		if n.packets[a] == nil && n.listeners[a] == nil {
			n.nextPort[addr] = next
			return a
		}
	}
}

// pause lets d of time go by, or returns ctx's error.
func (n *Network) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Network) forgetConn(local, remote netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, [2]netip.AddrPort{local, remote})
}

func simAddress(kind, network, address string) (netip.AddrPort, error) {
	if !strings.HasPrefix(network, kind) {
		return netip.AddrPort{}, net.UnknownNetworkError(network)
	}
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return a, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	if a.Addr().IsUnspecified() {
		return a, &net.OpError{Op: "listen", Net: network, Err: errors.New("a simulated network needs an address, not a wildcard")}
	}
	if v4 := a.Addr().Is4(); strings.HasSuffix(network, "4") && !v4 || strings.HasSuffix(network, "6") && v4 {
		return a, &net.OpError{Op: "listen", Net: network, Err: fmt.Errorf("%v is of the other family", a)}
	}
	return a, nil
}

func simError(op, network string, a netip.AddrPort, err error) error {
	return &net.OpError{Op: op, Net: network, Addr: net.UDPAddrFromAddrPort(a), Err: err}
}
