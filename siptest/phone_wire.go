package siptest

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"biloxi/sip"
)

// Wire is how a phone reaches its server.
type Wire interface {
	Transport() sip.Transport
	Local() netip.AddrPort
	Send(b []byte) error
	// Receive returns the next message, or ErrSilence when d has passed without one.
	Receive(d time.Duration) ([]byte, error)
	Close() error
}

// ErrSilence is what Receive gives when nothing came in time.
var ErrSilence = errors.New("nothing came")

// OverPacket makes a phone's connection of a datagram socket. What comes from elsewhere than the server
// is passed over, as a phone behind a firewall would have it.
func OverPacket(c net.PacketConn, server netip.AddrPort) Wire { return &packetConn{c, server} }

type packetConn struct {
	conn   net.PacketConn
	server netip.AddrPort
}

func (c *packetConn) Transport() sip.Transport { return sip.UDP }
func (c *packetConn) Local() netip.AddrPort    { return addrPort(c.conn.LocalAddr()) }
func (c *packetConn) Close() error             { return c.conn.Close() }

func (c *packetConn) Send(b []byte) error {
	_, err := c.conn.WriteTo(b, net.UDPAddrFromAddrPort(c.server))
	return err
}

func (c *packetConn) Receive(d time.Duration) ([]byte, error) {
	c.conn.SetReadDeadline(time.Now().Add(d))
	var b [65535]byte
	for {
		n, from, err := c.conn.ReadFrom(b[:])
		if err != nil {
			return nil, silence(err)
		}
		if addrPort(from) == c.server {
			return append([]byte(nil), b[:n]...), nil
		}
	}
}

// OverStream makes a phone's connection of a stream: TCP, or TLS with the handshake done by whoever made
// it.
func OverStream(t sip.Transport, c net.Conn) Wire { return &streamConn{transport: t, conn: c} }

type streamConn struct {
	transport sip.Transport
	conn      net.Conn
	read      []byte // that came and was not handed out
}

func (c *streamConn) Transport() sip.Transport { return c.transport }
func (c *streamConn) Local() netip.AddrPort    { return addrPort(c.conn.LocalAddr()) }
func (c *streamConn) Close() error             { return c.conn.Close() }

func (c *streamConn) Send(b []byte) error {
	_, err := c.conn.Write(b)
	return err
}

func (c *streamConn) Receive(d time.Duration) ([]byte, error) {
	c.conn.SetReadDeadline(time.Now().Add(d))
	for {
		skip, length, _, err := sip.Frame(c.read, sip.MaxHead, sip.MaxBody)
		if err != nil {
			return nil, err
		}
		if length > 0 {
			b := append([]byte(nil), c.read[skip:skip+length]...)
			c.read = c.read[skip+length:]
			return b, nil
		}
		var b [4096]byte
		n, err := c.conn.Read(b[:])
		c.read = append(c.read, b[:n]...)
		if err != nil && n == 0 {
			return nil, silence(err)
		}
	}
}

// ReceiveBytes returns the next bytes of a stream as they came: a keep-alive is no message.
func ReceiveBytes(c Wire, d time.Duration) ([]byte, error) {
	s, ok := c.(*streamConn)
	if !ok {
		return nil, errors.New("not a stream")
	}
	if len(s.read) > 0 {
		b := s.read
		s.read = nil
		return b, nil
	}
	s.conn.SetReadDeadline(time.Now().Add(d))
	var b [4096]byte
	n, err := s.conn.Read(b[:])
	if n == 0 {
		return nil, silence(err)
	}
	return append([]byte(nil), b[:n]...), nil
}

func silence(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrSilence
	}
	if err == nil {
		return io.EOF
	}
	return err
}

func addrPort(a net.Addr) netip.AddrPort {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
