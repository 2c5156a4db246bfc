package bench

import (
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// plainSocket is a socket that the runtime's poller does not know. It reads once each time that something is due, and
// never waits.
type plainSocket struct {
	fd            int
	due           bool
	local, remote net.Addr
}

// newPlainSocket takes the system's socket out of s and puts itself in.
func newPlainSocket(s *socket) (*plainSocket, error) {
	nc := s.Conn.(*net.TCPConn)
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &plainSocket{local: nc.LocalAddr(), remote: nc.RemoteAddr()}
	if e := raw.Control(func(fd uintptr) { p.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	s.Conn = p
	return p, nc.Close()
}

func (p *plainSocket) Read(b []byte) (int, error) {
	if !p.due {
		return 0, errWait{}
	}
	p.due = false
	for {
		n, err := unix.Read(p.fd, b)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return 0, errWait{}
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Write waits for a server that does not read, but not for long: it stands in the way of the other workers.
func (p *plainSocket) Write(b []byte) (n int, err error) {
	for n < len(b) {
		m, err := unix.Write(p.fd, b[n:])
		n += max(m, 0)
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			poll := [1]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLOUT}}
			if ready, err := unix.Poll(poll[:], int(writeTimeout/time.Millisecond)); ready == 0 && err == nil {
				return n, errNotRead
			}
		default:
			return n, err
		}
	}
	return n, nil
}

var errNotRead = errors.New("the server does not read what is sent to it")

func (p *plainSocket) Close() error {
	if p.fd < 0 {
		return net.ErrClosed
	}
	fd := p.fd
	p.fd = -1
	return unix.Close(fd)
}

func (p *plainSocket) LocalAddr() net.Addr              { return p.local }
func (p *plainSocket) RemoteAddr() net.Addr             { return p.remote }
func (p *plainSocket) SetDeadline(time.Time) error      { return nil }
func (p *plainSocket) SetReadDeadline(time.Time) error  { return nil }
func (p *plainSocket) SetWriteDeadline(time.Time) error { return nil }

// errWait is what is read when all that came is used up. It is temporary, so that TLS goes on later.
type errWait struct{}

func (errWait) Error() string   { return "nothing more has come" }
func (errWait) Timeout() bool   { return false }
func (errWait) Temporary() bool { return true }
