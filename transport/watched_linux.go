package transport

import (
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// watched is a socket that a loop has taken over: the runtime's poller does not know it, so that bytes which come
// wake the loop and nobody else. Reading is the loop's, writing whoever's that holds the connection's lock.
type watched struct {
	mu sync.Mutex // of the closing
	fd int        // -1: closed
}

// newWatched makes one of nc's socket; when nc is closed, it alone has it.
func newWatched(nc *net.TCPConn) (*watched, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &watched{fd: -1}
	if e := raw.Control(func(fd uintptr) { s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) }); e != nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// cut closes the connection in both directions, which the loop is told of.
func (s *watched) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		_ = unix.Shutdown(s.fd, unix.SHUT_RDWR)
	}
}

func (s *watched) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}

// waiting returns the socket once more, known to the runtime's poller, for who must wait for it; the caller closes
// it.
func (s *watched) waiting() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd < 0 {
		return nil, net.ErrClosed
	}
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	return net.FileConn(f) // another copy
}
