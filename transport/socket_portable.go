package transport

import (
	"net"
	"net/netip"

	"biloxi/sip"
)

// portableIO is packetIO over any net.PacketConn: a datagram at a time. It does not know the address that a
// datagram was sent to if the socket is bound to a wildcard.
type portableIO struct {
	net.PacketConn
	fast   addrPortConn // nil if the conn has no such methods
	buf    []byte
	n      int
	remote netip.AddrPort
}

// addrPortConn is what [net.UDPConn] offers to spare an allocation for each address.
type addrPortConn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

func newPortableIO(c net.PacketConn) *portableIO {
	p := &portableIO{PacketConn: c, buf: make([]byte, sip.MaxDatagram)}
	p.fast, _ = c.(addrPortConn)
	if c, ok := c.(interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}); ok {
		_ = c.SetReadBuffer(socketBuffer) // with less there is only more loss in a storm
		_ = c.SetWriteBuffer(socketBuffer)
	}
	return p
}

func (p *portableIO) receive() (int, error) {
	var err error
	if p.fast != nil {
		p.n, p.remote, err = p.fast.ReadFromUDPAddrPort(p.buf)
		p.remote = netip.AddrPortFrom(p.remote.Addr().Unmap(), p.remote.Port())
	} else {
		var from net.Addr
		if p.n, from, err = p.ReadFrom(p.buf); err == nil {
			p.remote = addrPort(from)
		}
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

func (p *portableIO) packet(int) (data []byte, remote netip.AddrPort, local netip.Addr) {
	return p.buf[:p.n:p.n], p.remote, netip.Addr{}
}

func (p *portableIO) newSender() packetSender { return p }

func (p *portableIO) send(all []datagram) (failed int) {
	for i := range all {
		d := &all[i]
		var err error
		if p.fast != nil {
			_, err = p.fast.WriteToUDPAddrPort(d.data, d.to)
		} else {
			_, err = p.WriteTo(d.data, net.UDPAddrFromAddrPort(d.to))
		}
		if err != nil {
			failed++
		}
	}
	return failed
}

func (p *portableIO) yield() {} // whenever it waits
func (p *portableIO) stop()  { _ = p.SetReadDeadline(past) }
func (p *portableIO) close() { _ = p.Close() }
