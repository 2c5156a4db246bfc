package siptest

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"time"

	"biloxi/sip"
)

// agentStream is one connection of an agent.
type agentStream struct {
	transport sip.Transport
	conn      net.Conn
	ended     chan struct{} // closed when nothing more can be read
}

func (s *agentStream) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (a *Agent) readPackets(c net.PacketConn) {
	b := make([]byte, 65535)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		if len(bytes.TrimSpace(b[:n])) > 0 { // else it keeps an address alive (RFC 5626 §4.4.1)
			a.put(Hop{Transport: sip.UDP, Addr: addrPort(from)}, b[:n])
		}
	}
}

func (a *Agent) accept(t sip.Transport, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if t == sip.TLS {
			c = tls.Server(c, a.TLS)
		}
		a.open(t, c)
	}
}

// open begins to read a connection.
func (a *Agent) open(t sip.Transport, c net.Conn) *agentStream {
	s := &agentStream{transport: t, conn: c, ended: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		c.Close()
		close(s.ended)
		return s
	}
	a.streams[s] = struct{}{}
	a.readers.Go(func() { a.readStream(s) })
	return s
}

func (a *Agent) readStream(s *agentStream) {
	defer func() {
		s.conn.Close()
		a.mu.Lock()
		delete(a.streams, s)
		a.mu.Unlock()
		close(s.ended)
	}()
	if secure, ok := s.conn.(*tls.Conn); ok && secure.HandshakeContext(context.Background()) != nil {
		return
	}
	hop := Hop{Transport: s.transport, Addr: addrPort(s.conn.RemoteAddr()), stream: s}
	var read []byte
	b := make([]byte, 4096)
	for {
		n, err := s.conn.Read(b)
		if n == 0 && err != nil {
			return
		}
		if read, err = frames(append(read, b[:n]...), func(message []byte) { a.put(hop, message) }); err != nil {
			a.T.Errorf("%s: what came over %s is no SIP: %v\n%q", a.User, hop, err, read)
			return
		}
	}
}

// frames gives whole messages of a stream to fn, and returns what is left.
func frames(b []byte, fn func(message []byte)) (rest []byte, err error) {
	for {
		skip, length, _, err := sip.Frame(b, sip.MaxHead, sip.MaxBody)
		if err != nil || length == 0 {
			return b, err
		}
		fn(b[skip : skip+length])
		b = b[skip+length:]
	}
}

// put lays a message into the inbox; it is copied.
func (a *Agent) put(h Hop, b []byte) {
	r := &Received{T: a.T, Agent: a, Hop: h, At: time.Now(), Raw: string(b)}
	select {
	case a.inbox <- r:
	default:
		a.T.Errorf("%s: more than %d messages wait for the script", a.User, agentInbox)
	}
}
