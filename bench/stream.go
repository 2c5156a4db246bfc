package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"biloxi/sip"
)

// stream is a TCP or TLS connection.
type stream struct {
	conn     net.Conn // the socket, or TLS over it
	socket   *socket
	secure   bool
	here     netip.AddrPort
	deadline time.Time
	in       []byte // what was read and not yet given out begins at rest
	rest     int
	found    [][]byte
	out      []byte
}

// socket is the system's socket, under TLS if there is any. Whoever waits for several at a time puts its own way to
// read and write in.
type socket struct{ net.Conn }

// dialStream opens a connection, and speaks TLS over it if there is a configuration.
func dialStream(ctx context.Context, to netip.AddrPort, config *tls.Config) (*stream, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	s := &stream{socket: &socket{conn}, secure: config != nil, here: conn.LocalAddr().(*net.TCPAddr).AddrPort(),
		in: make([]byte, 0, streamBuffer)}
	s.conn = s.socket
	if s.secure {
		secure := tls.Client(s.socket, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		s.conn = secure
	}
	return s, nil
}

func (s *stream) receive(until time.Time, _ time.Duration) (int, error) {
	s.compact()
	// A deadline costs a system timer: one that is a little early does no harm.
	if now := time.Now(); s.deadline.Before(now) || until.Before(s.deadline) {
		s.deadline = until
		if err := s.conn.SetReadDeadline(until); err != nil {
			return 0, err
		}
	}
	n, err := s.conn.Read(s.in[len(s.in):cap(s.in)])
	s.in = s.in[:len(s.in)+n]
	if n == 0 && err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.deadline = time.Time{}
			return 0, nil
		}
		return 0, closedBy(err)
	}
	err = s.frame()
	return len(s.found), err
}

// closedBy says what the end of a stream is.
func closedBy(err error) error {
	if err == io.EOF {
		return errClosed
	}
	return err
}

var errClosed = errors.New("the server closed the connection")

// compact moves what is left of a message to the front, and makes room for more.
func (s *stream) compact() {
	s.found = s.found[:0]
	if s.rest > 0 {
		s.in = s.in[:copy(s.in, s.in[s.rest:])]
		s.rest = 0
	}
	s.grow()
}

func (s *stream) grow() {
	if len(s.in) == cap(s.in) {
		s.in = append(make([]byte, 0, 2*cap(s.in)), s.in...)
	}
}

// frame finds the messages that are there.
func (s *stream) frame() error {
	for {
		skip, length, _, err := sip.Frame(s.in[s.rest:], maxHead, maxBody)
		if err != nil {
			return fmt.Errorf("the server's stream: %w", err)
		}
		s.rest += skip
		if length == 0 {
			return nil
		}
		s.found = append(s.found, s.in[s.rest:s.rest+length])
		s.rest += length
	}
}

func (s *stream) message(i int) []byte { return s.found[i] }
func (s *stream) send(b []byte)        { s.out = append(s.out, b...) }

func (s *stream) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

func (s *stream) local() netip.AddrPort { return s.here }
func (s *stream) close()                { s.conn.Close() }
