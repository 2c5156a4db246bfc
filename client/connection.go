package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"biloxi/sip"
)

// ConnectError is a server that cannot be reached, or a connection that was lost.
type ConnectError struct {
	Server Server
	Err    error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("%s: %v", e.Server, e.Err) }

func (e *ConnectError) Unwrap() error { return e.Err }

// conn is a connection or a connected UDP socket to a server. A response to a UDP socket comes from the
// address that the request went to, or not at all.
type conn struct {
	net.Conn
	server        Server
	identity      string // the domain that its certificate was verified for, if it is TLS
	local, remote netip.AddrPort
	in            []byte // what came and is not yet read; of a stream, maybe part of a message
	read          int    // of in, what was handed out
	used          bool   // a request was answered over it
}

// connect opens a connection to one address of a server, with the TLS handshake done.
func (c *Client) connect(ctx context.Context, s Server, addr netip.AddrPort, identity string) (*conn, error) {
	network := "tcp"
	if s.Transport == sip.UDP {
		network = "udp"
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := c.cfg.Dial(ctx, network, addr.String())
	if err != nil {
		return nil, err
	}
	cn := &conn{Conn: raw, server: s, identity: identity, local: addrPort(raw.LocalAddr()), remote: addrPort(raw.RemoteAddr())}
	if s.Transport == sip.TLS {
		secure := tls.Client(raw, c.tlsConfig(s, identity))
		// RFC 5922 §7.3: a server that is not authenticated is closed at once.
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		cn.Conn = secure
	}
	return cn, nil
}

func addrPort(a net.Addr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// next returns the next datagram or framed message, valid until the next call. An error that is a timeout
// leaves the connection as it was.
func (cn *conn) next(deadline time.Time) ([]byte, error) {
	if err := cn.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	if cn.server.Transport == sip.UDP {
		if cn.in == nil {
			cn.in = make([]byte, maxDatagram)
		}
		n, err := cn.Read(cn.in)
		return cn.in[:n], err
	}
	return cn.nextFramed()
}

func (cn *conn) nextFramed() ([]byte, error) {
	for {
		skip, length, _, err := sip.Frame(cn.in[cn.read:], sip.MaxHead, sip.MaxBody)
		cn.read += skip
		if err != nil {
			return nil, fmt.Errorf("what came cannot be told apart: %w", err)
		}
		if length > 0 {
			b := cn.in[cn.read : cn.read+length]
			cn.read += length
			return b, nil
		}
		cn.in = cn.in[:copy(cn.in, cn.in[cn.read:])]
		cn.read = 0
		if len(cn.in) >= maxStream {
			return nil, errors.New("what came is longer than a message may be")
		}
		if cap(cn.in)-len(cn.in) < readSize {
			cn.in = append(make([]byte, 0, 2*cap(cn.in)+readSize), cn.in...)
		}
		n, err := cn.Read(cn.in[len(cn.in):cap(cn.in)])
		cn.in = cn.in[:len(cn.in)+n]
		if n == 0 && err != nil {
			return nil, err
		}
	}
}

// isTimeout tells a read deadline that has passed from a connection that is gone.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
