package transport

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// wire is the socket under a connection. Where the system lets us, it waits for bytes without a buffer,
// and borrows one only when they are there; reading belongs to the connection's reader, writing to whoever
// holds the connection's lock.
type wire struct {
	net.Conn
	raw     syscall.RawConn         // nil: reads wait with a buffer in hand, and no write is tried
	watched atomic.Pointer[watched] // not nil: a loop has taken the socket over, Conn is closed
	due     bool                    // the loop has found something to read

	t *Transport

	buf      *buffer // what came, nil while nothing waits
	readErr  error
	readable func(fd uintptr) bool

	wrote    []byte
	writeN   int
	writeErr error
	writable func(fd uintptr) bool
}

// fill waits until bytes come and reads once, into a buffer that it borrows if there is none. For a loop it does
// not wait: it reads once each time that something is due, and else returns errWait.
func (w *wire) fill() error {
	if s := w.watched.Load(); s != nil {
		if w.readErr = nil; !w.due || !w.tryReadFD(uintptr(s.fd)) {
			w.readErr = errWait{}
		}
		w.due = false
		return w.readErr
	}
	if w.raw == nil {
		return w.fillBlocking()
	}
	w.readErr = nil
	if err := w.raw.Read(w.readable); err != nil {
		return err
	}
	return w.readErr
}

func (w *wire) fillBlocking() error {
	if w.buf == nil {
		w.buf = borrowBuffer()
	}
	n, err := w.Conn.Read(w.buf.free())
	w.buf.read(n)
	if w.buf.empty() {
		w.drop()
	}
	if n > 0 {
		return nil // the error comes again
	}
	return err
}

// drop gives the empty buffer back.
func (w *wire) drop() {
	w.buf.release()
	w.buf = nil
}

// tryWrite writes as much of b as the system takes at once.
func (w *wire) tryWrite(b []byte) (int, error) {
	if w.raw == nil {
		return 0, nil
	}
	w.wrote, w.writeN, w.writeErr = b, 0, nil
	var err error
	if s := w.watched.Load(); s != nil {
		w.tryWriteFD(uintptr(s.fd))
	} else {
		err = w.raw.Write(w.writable)
	}
	w.wrote = nil
	if err == nil {
		err = w.writeErr
	}
	return w.writeN, err
}

// cut closes the socket for both sides; its reader finds out.
func (w *wire) cut() {
	if s := w.watched.Load(); s != nil {
		s.cut()
		return
	}
	_ = w.Conn.Close()
}

// close closes the socket for its reader, who is through.
func (w *wire) close() {
	if s := w.watched.Load(); s != nil {
		s.close()
		return
	}
	_ = w.Conn.Close()
}

// waiting returns the socket as one that can be waited for, with deadlines, until done is called; ok is false if there
// is no file descriptor for it.
func (w *wire) waiting() (nc net.Conn, done func(), ok bool) {
	s := w.watched.Load()
	if s == nil {
		return w.Conn, func() {}, true
	}
	if !w.t.takeSecond() {
		return nil, nil, false
	}
	nc, err := s.waiting()
	if err != nil {
		w.t.giveSecond()
		return nil, nil, false
	}
	return nc, func() {
		_ = nc.Close()
		w.t.giveSecond()
	}, true
}

// errWait is what TLS reads when all that came is used up. It is temporary, so that TLS goes on later.
type errWait struct{}

func (errWait) Error() string   { return "transport: nothing more has come" }
func (errWait) Timeout() bool   { return false }
func (errWait) Temporary() bool { return true }

// tlsSocket is the wire as TLS sees it. During the handshake it waits as any socket; later a read takes
// what the wire holds and never waits, and a write goes to the connection's queue.
type tlsSocket struct{ c *conn }

func (s tlsSocket) Read(b []byte) (int, error) {
	w := &s.c.wire
	if h := s.c.shaking.Load(); h != nil {
		return h.read(b)
	}
	if !s.c.up {
		return w.Conn.Read(b)
	}
	if w.buf == nil {
		return 0, errWait{}
	}
	n := copy(b, w.buf.bytes())
	if w.buf.take(n); w.buf.empty() {
		w.drop()
	}
	return n, nil
}

func (s tlsSocket) Write(b []byte) (int, error) {
	if !s.c.up {
		return s.c.wire.Conn.Write(b)
	}
	return s.c.enqueue(b)
}

func (s tlsSocket) Close() error         { s.c.wire.cut(); return nil }
func (s tlsSocket) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(s.c.flow.Local) }
func (s tlsSocket) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(s.c.flow.Remote) }

// Nothing waits after the handshake, whose deadlines are the connection's.
func (s tlsSocket) SetDeadline(time.Time) error      { return nil }
func (s tlsSocket) SetReadDeadline(time.Time) error  { return nil }
func (s tlsSocket) SetWriteDeadline(time.Time) error { return nil }
