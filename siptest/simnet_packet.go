package siptest

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

type simDatagram struct {
	from netip.AddrPort
	data []byte
}

// PacketConn is a UDP socket of a Network.
type PacketConn struct {
	net   *Network
	addr  netip.AddrPort
	read  *simDeadline
	write *simDeadline

	mu      sync.Mutex
	inbox   []simDatagram
	changed chan struct{} // closed and made anew when the inbox grows
	closed  bool
}

func newPacketConn(n *Network, a netip.AddrPort) *PacketConn {
	return &PacketConn{net: n, addr: a, read: newSimDeadline(), write: newSimDeadline(), changed: make(chan struct{})}
}

func (p *PacketConn) put(from netip.AddrPort, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.inbox) == simInbox {
		return
	}
	p.inbox = append(p.inbox, simDatagram{from, data})
	close(p.changed)
	p.changed = make(chan struct{})
}

// ReadFromUDPAddrPort is as [net.UDPConn.ReadFromUDPAddrPort]: what does not fit b is cut off.
func (p *PacketConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		if p.read.over() {
			return 0, netip.AddrPort{}, p.fail("read", os.ErrDeadlineExceeded)
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return 0, netip.AddrPort{}, p.fail("read", net.ErrClosed)
		}
		if len(p.inbox) > 0 {
			d := p.inbox[0]
			p.inbox[0] = simDatagram{}
			p.inbox = p.inbox[1:]
			p.mu.Unlock()
			return copy(b, d.data), d.from, nil
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-p.read.wait():
		}
	}
}

// ReadFrom is ReadFromUDPAddrPort by the interface.
func (p *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := p.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToUDPAddrPort is as [net.UDPConn.WriteToUDPAddrPort]; it never waits.
func (p *PacketConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if p.write.over() {
		return 0, p.fail("write", os.ErrDeadlineExceeded)
	}
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	switch {
	case closed:
		return 0, p.fail("write", net.ErrClosed)
	case len(b) > 65507:
		return 0, p.fail("write", os.NewSyscallError("sendto", syscall.EMSGSIZE))
	case !to.IsValid() || to.Port() == 0 || to.Addr().Is4() != p.addr.Addr().Is4():
		return 0, p.fail("write", os.NewSyscallError("sendto", syscall.EINVAL))
	}
	p.net.carry(p.addr, to, append([]byte(nil), b...))
	return len(b), nil
}

// WriteTo is WriteToUDPAddrPort by the interface.
func (p *PacketConn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, p.fail("write", syscall.EINVAL)
	}
	a := u.AddrPort()
	return p.WriteToUDPAddrPort(b, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
}

// Close unbinds the socket; what waits in it is lost.
func (p *PacketConn) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return p.fail("close", net.ErrClosed)
	}
	p.closed, p.inbox = true, nil
	close(p.changed)
	p.net.mu.Lock()
	delete(p.net.packets, p.addr)
	p.net.mu.Unlock()
	p.read.set(time.Time{})
	p.write.set(time.Time{})
	return nil
}

// AddrPort is where the socket is bound.
func (p *PacketConn) AddrPort() netip.AddrPort { return p.addr }

// LocalAddr is AddrPort by the interface.
func (p *PacketConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.addr) }

// SetDeadline sets both deadlines.
func (p *PacketConn) SetDeadline(t time.Time) error {
	p.read.set(t)
	p.write.set(t)
	return nil
}

// SetReadDeadline sets the deadline of reads, those under way too.
func (p *PacketConn) SetReadDeadline(t time.Time) error { p.read.set(t); return nil }

// SetWriteDeadline sets the deadline of writes.
func (p *PacketConn) SetWriteDeadline(t time.Time) error { p.write.set(t); return nil }

func (p *PacketConn) fail(op string, err error) error { return simError(op, "udp", p.addr, err) }
