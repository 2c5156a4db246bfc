package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// send writes a whole message, or several, without waiting for the peer.
func (c *conn) send(b []byte) error {
	if c.tls == nil {
		return c.enqueue(b)
	}
	if c.full(len(b)) {
		return ErrFull
	}
	if _, err := c.tls.Write(b); err != nil {
		if errors.Is(err, ErrFull) {
			return ErrFull
		}
		return ErrGone
	}
	return nil
}

// full cuts the connection if n bytes more are too many. In front of TLS, since a record that is begun must
// be finished.
func (c *conn) full(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drained == nil || len(c.queue)+c.leaving+n <= c.t.cfg.Limits.WriteQueue {
		return false
	}
	c.cut(closedQueue)
	return true
}

// enqueue writes what the socket takes at once and lets the rest wait; a drainer goroutine lives as long as
// something waits. Over the limit the peer is cut off.
func (c *conn) enqueue(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrGone
	}
	if c.drained == nil {
		n, err := c.wire.tryWrite(b)
		if err != nil {
			c.closed = true
			c.cut(closedError)
			return ErrGone
		}
		if b = b[n:]; len(b) == 0 {
			return nil
		}
	}
	if len(c.queue)+c.leaving+len(b) > c.t.cfg.Limits.WriteQueue {
		c.closed = true
		c.cut(closedQueue)
		return ErrFull
	}
	c.queue = append(c.queue, b...)
	if c.drained == nil {
		c.drained = make(chan struct{})
		go c.drain()
	}
	return nil
}

// drain writes what waits until nothing does. It ends before the reader does, which waits for it.
func (c *conn) drain() {
	var leaving []byte
	for {
		c.mu.Lock()
		leaving, c.queue = c.queue, leaving[:0]
		if c.leaving = len(leaving); c.leaving == 0 || c.closed {
			c.queue, c.leaving = nil, 0
			_ = c.wire.SetWriteDeadline(time.Time{})
			close(c.drained)
			c.drained = nil
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		_ = c.wire.SetWriteDeadline(time.Now().Add(c.t.cfg.Limits.Write))
		if _, err := c.wire.Conn.Write(leaving); err != nil {
			c.mu.Lock()
			c.closed = true
			c.mu.Unlock()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.cut(closedWrite)
			} else {
				c.cut(closedError)
			}
		}
	}
}

// waitDrained waits until nothing waits to be written, or until stop is closed. Whoever sends more than it
// reads is so held back by TCP itself.
func (c *conn) waitDrained(stop <-chan struct{}) {
	c.mu.Lock()
	drained := c.drained
	c.mu.Unlock()
	if drained == nil {
		return
	}
	select {
	case <-drained:
	case <-stop:
	}
}

// cut ends the connection from outside: the socket is closed, and the reader finds out and does the rest.
func (c *conn) cut(why counter) {
	c.why.CompareAndSwap(uint32(noCounter), uint32(why))
	_ = c.wire.Conn.Close()
}

// end closes the connection and takes it off the books.
func (c *conn) end(why counter) {
	t := c.t
	t.conns.remove(c.flow.Serial)
	t.forgetDialled(c)
	c.waitDrained(nil)
	if c.tls != nil && c.up && why != closedError {
		_ = c.tls.CloseWrite() // the alert that says so
	}
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.waitDrained(nil)
	if why == closedFraming {
		c.linger()
	}
	_ = c.wire.Conn.Close()
	for _, b := range []*buffer{c.buf, c.wire.buf} {
		if b != nil {
			b.release(&t.unfinished)
		}
	}
	c.buf, c.wire.buf = nil, nil
	t.admission.leave(c.source)
	t.counts.add(c.flow.Transport, connections, -1)
	if cut := counter(c.why.Load()); cut != noCounter {
		why = cut
	}
	t.counts.add(c.flow.Transport, why, 1)
	if noticed(why) {
		t.notice(why, c.flow.Transport, c.flow.Remote, nil)
	}
	if t.cfg.Closed != nil && c.up {
		t.cfg.Closed(c.flow)
	}
}

// linger reads away what the peer still sends, for a while: a socket that is closed with bytes unread is
// reset, which can destroy the answer before the peer has read it.
func (c *conn) linger() {
	half, ok := c.wire.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.wire.SetReadDeadline(time.Now().Add(lingerTime))
	b := borrowBuffer()
	defer b.release(&c.t.unfinished)
	for left := lingerBytes; left > 0; {
		n, err := c.wire.Conn.Read(b.b)
		if left -= n; err != nil {
			return
		}
	}
}

// isEnd reports whether a read error means that the peer has closed.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
