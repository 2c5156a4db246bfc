//go:build unix

package transport

import (
	"io"
	"syscall"
)

// attach finds the way to the socket's own reads and writes.
func (w *wire) attach() {
	s, ok := w.Conn.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	w.raw, w.readable, w.writable = raw, w.tryReadFD, w.tryWriteFD
}

// tryReadFD reads what is there; false means that nothing is, and that the caller waits without a buffer.
func (w *wire) tryReadFD(fd uintptr) bool {
	if w.buf == nil {
		w.buf = borrowBuffer()
	}
	for {
		n, err := rawRead(fd, w.buf.free())
		switch {
		case err == syscall.EINTR:
			continue
		case err == 0 && n == 0:
			w.readErr = io.EOF
		case err != 0:
			w.readErr = err
		default:
			w.buf.read(n)
			return true
		}
		if w.buf.empty() {
			w.drop()
		}
		if err == syscall.EAGAIN {
			w.readErr = nil
			return false
		}
		return true
	}
}

// tryWriteFD writes what the socket takes; it never asks to wait.
func (w *wire) tryWriteFD(fd uintptr) bool {
	for w.writeN < len(w.wrote) {
		n, err := rawWrite(fd, w.wrote[w.writeN:])
		if n > 0 {
			w.writeN += n
		}
		switch err {
		case 0, syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			w.writeErr = err
		}
		break
	}
	return true
}
