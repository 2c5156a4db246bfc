package transport

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unacknowledged reports whether the peer's system has not taken all that was written, or what has become of the
// connection.
func (w *wire) unacknowledged() (open bool, err error) {
	look := func(fd uintptr) {
		if e, e2 := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); e2 == nil && e != 0 {
			err = syscall.Errno(e)
			return
		}
		n, e := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		open = e == nil && n > 0
	}
	if s := w.watched.Load(); s != nil {
		s.look(look)
		return open, err
	}
	if w.raw != nil {
		if e := w.raw.Control(look); e != nil {
			err = e
		}
	}
	return open, err
}

// look calls fn with the descriptor, unless it is closed.
func (s *watched) look(fn func(fd uintptr)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		fn(uintptr(s.fd))
	}
}
