package transport

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A message takes one of two ways down a connection. An answer of the reader's batch ([Out]) is written by
// answer. What Send is given waits as a whole message until a flush, so that what one batch sends leaves in
// one write. Either way what the socket does not take is left to a drainer, and nobody waits for the peer.

// answer writes whole messages.
func (c *conn) answer(b []byte) error {
	c.mu.Lock()
	ok := c.admits(len(b))
	c.mu.Unlock()
	if !ok {
		return ErrFull
	}
	_, err := c.write(b)
	return err
}

// post takes a copy of a message that leaves with the next flush, and marks the connection for it.
func (c *conn) post(b []byte) error {
	c.mu.Lock()
	if c.closed || c.why.Load() != 0 || c.parting.Load() != nil {
		c.mu.Unlock()
		return ErrGone
	}
	if !c.admits(len(b)) {
		c.mu.Unlock()
		return ErrFull
	}
	if !c.chargeQueue(len(b)) {
		c.mu.Unlock()
		return ErrFull
	}
	if c.waiting == nil {
		c.waiting = borrowBacklog()
	}
	c.waiting.add(b)
	if c.owed.Load() > 0 {
		if _, final := isResponse(b); final {
			c.settleOwed()
		}
	}
	full := c.waiting.waits() > min(streamOutBuffer, c.t.cfg.Limits.WriteQueue)
	opening := c.opening // it flushes when it is open
	c.mu.Unlock()
	if !opening && !c.marked.Swap(true) {
		c.t.mark(c)
	}
	if full {
		c.flush()
	}
	return nil
}

// admits reports whether n bytes more may wait for the peer: one message always may. A peer that does not
// take what waits already is cut off: here, before TLS has begun a record, which would have to be finished.
// c.mu is held.
func (c *conn) admits(n int) bool {
	if c.drained == nil && !c.opening {
		return true // nothing waits for the peer
	}
	waits := c.queue.size() + c.leaving + c.waiting.waits()
	if waits == 0 || waits+n <= c.t.cfg.Limits.WriteQueue {
		return true
	}
	if !c.opening {
		c.cut(closedQueue)
	}
	return false
}

// chargeQueue has what waits for the peer, and more bytes that are to, count as what the connection holds, where it does
// not leave at once, and reports whether it may. c.mu is held.
func (c *conn) chargeQueue(more int) bool {
	n := 0
	if c.drained != nil || c.opening {
		n = c.queue.held() + chunked(c.leaving) + c.waiting.memory() + chunked(more)
	}
	if c.t.queued.hold(c, &c.writes, n, closedQueued) {
		return true
	}
	c.cut(closedQueued)
	return false
}

// chunked is how much memory n bytes take in chunks.
func chunked(n int) int { return (n + readBuffer - 1) / readBuffer * readBuffer }

// flush writes what was posted, in order. A connection that is being opened, or whose peer is behind, goes
// on with it by itself.
func (c *conn) flush() (left int) {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	later := c.opening || c.drained != nil || c.closed
	c.mu.Unlock()
	if !later {
		left = c.transmit()
	}
	return left
}

// transmit writes what was posted, a buffer's worth at a time, until the peer is behind; c.flushing is held.
// What does not leave whole waits on: for the drainer, or for end to report. It returns how many messages left.
func (c *conn) transmit() (messages int) {
	c.mu.Lock()
	w := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	if w == nil {
		return 0
	}
	for w.left() > 0 {
		n, err := c.writeFrom(&w.pipe, w.next(streamOutBuffer))
		whole := w.took(n)
		messages += whole
		c.t.counts.add(c.flow.Transport, sent, whole)
		c.mu.Lock()
		if err != nil {
			c.closed = true
			c.cut(closedError)
		}
		if err != nil || c.drained != nil {
			c.putBack(w)
			c.mu.Unlock()
			return messages
		}
		c.mu.Unlock()
	}
	w.giveBack()
	return messages
}

// writeFrom writes n bytes of p, and returns how many it did.
func (c *conn) writeFrom(p *pipe, n int) (wrote int, err error) {
	for wrote < n && err == nil {
		b := p.front(wrote)
		taken := 0
		taken, err = c.write(b[:min(len(b), n-wrote)])
		wrote += taken
	}
	return wrote, err
}

// putBack puts w before what was posted since it was taken; c.mu is held.
func (c *conn) putBack(w *backlog) {
	if c.waiting != nil {
		c.waiting.each(w.add)
		c.waiting.giveBack()
	}
	if c.waiting = w; w.left() == 0 {
		c.waiting = nil
		w.giveBack()
	}
}

// write gives bytes to TLS or to the socket and returns how many it took.
func (c *conn) write(b []byte) (int, error) {
	if c.tls != nil {
		return c.tls.Write(b)
	}
	return c.enqueue(b)
}

// enqueue writes what the socket takes at once and lets the rest wait; a drainer goroutine lives as long as
// something waits.
func (c *conn) enqueue(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, ErrGone
	}
	taken := 0
	if c.drained == nil {
		var err error
		if taken, err = c.wire.tryWrite(b); err != nil {
			c.closed = true
			c.cut(closedError)
			return taken, ErrGone
		}
	}
	if taken < len(b) {
		c.queue.write(b[taken:])
		if c.drained == nil {
			c.drained = make(chan struct{})
			go c.drain()
		}
		c.chargeQueue(0) // if it may not, it is cut
	}
	return len(b), nil
}

// drain writes what waits until nothing does. It ends before the reader does, which waits for it.
func (c *conn) drain() {
	nc, done, ok := c.wire.waiting()
	if !ok {
		c.cannotWait()
		return
	}
	defer done()
	var leaving pipe
	defer leaving.clear()
	for {
		c.mu.Lock()
		leaving, c.queue = c.queue, leaving
		c.leaving = leaving.size()
		posted := c.waiting != nil
		if c.closed || c.leaving == 0 && !posted {
			c.queue.clear()
			c.leaving = 0
			_ = nc.SetWriteDeadline(time.Time{})
			close(c.drained)
			c.drained = nil
			c.chargeQueue(0)
			c.release()
			c.mu.Unlock()
			return
		}
		c.chargeQueue(0)
		c.mu.Unlock()
		if c.leaving == 0 {
			c.flushing.Lock()
			c.transmit() // to the queue
			c.flushing.Unlock()
			continue
		}
		c.drainOnce(nc, &leaving)
	}
}

// drainOnce writes all of p, or closes the connection for writing.
func (c *conn) drainOnce(nc net.Conn, p *pipe) {
	_ = nc.SetWriteDeadline(time.Now().Add(c.t.cfg.Limits.Write))
	for p.size() > 0 {
		n, err := nc.Write(p.front(0))
		p.drop(n)
		if err == nil {
			continue
		}
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.cut(closedWrite)
		} else {
			c.cut(closedError)
		}
		return
	}
}

// cannotWait ends a connection that has no file descriptor to wait with, instead of draining it.
func (c *conn) cannotWait() {
	c.mu.Lock()
	c.closed = true
	c.queue.clear()
	c.leaving = 0
	close(c.drained)
	c.drained = nil
	c.chargeQueue(0)
	c.release()
	c.mu.Unlock()
	c.cut(closedDescriptors)
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

// hold has the loop not read the connection while something waits for the peer, and reports whether it does:
// whoever sends more than it reads is so held back by TCP itself.
func (c *conn) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drained == nil {
		return false
	}
	if !c.held {
		c.held = true
		c.loop.watch(c, nothing)
	}
	return true
}

// release ends hold; c.mu is held.
func (c *conn) release() {
	if c.held {
		c.held = false
		c.loop.watch(c, atOnce)
	}
}

// cut ends the connection from outside: the socket is closed, or its opening ended, and the reader finds out
// and does the rest.
func (c *conn) cut(why counter) {
	c.why.CompareAndSwap(uint32(noCounter), uint32(why))
	if f := c.parting.Load(); f != nil {
		f.wake()
	}
	if h := c.shaking.Load(); h != nil {
		h.stop()
	}
	switch {
	case c.connected.Load():
		c.wire.cut()
	case c.giveUp != nil:
		c.giveUp() // connect looks at why when it is through all the same
	} // else attach does
}

// end closes the connection, takes it off the books and says so. err is why if a connection of ours did not
// come to be, else nil.
func (c *conn) end(why counter, err error) {
	t := c.t
	c.why.CompareAndSwap(uint32(noCounter), uint32(why)) // from here on nothing can be posted
	t.forget(c)
	c.flush()
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
	c.wire.close()
	c.dropBuffers()
	if t.admission.leave(c) {
		t.counts.add(c.flow.Transport, unknownConns, -1)
	}
	t.counts.add(c.flow.Transport, connections, -1)
	if first := counter(c.why.Load()); first != why {
		why, err = first, nil // it was cut, and the rest follows from that
	}
	t.counts.add(c.flow.Transport, why, 1)
	if noticed(why) || err != nil {
		t.notice(why, c.flow.Transport, c.flow.Remote, err)
	}
	c.report(unsentGone, goneError(why, err))
	c.uncharge()
	c.announce()
}

// uncharge ends what is charged for what waited, when nothing does any more.
func (c *conn) uncharge() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t.queued.hold(c, &c.writes, 0, noCounter)
}

// announce tells, once, that nothing can be sent to the connection's flow any more.
func (c *conn) announce() {
	if !c.announced && c.t.cfg.Closed != nil && c.up {
		c.t.cfg.Closed(c.flow)
	}
	c.announced = true
}

// dropBuffers gives back what was read.
func (c *conn) dropBuffers() {
	for _, b := range []*buffer{c.buf, c.wire.buf} {
		if b != nil {
			b.release()
		}
	}
	c.buf, c.wire.buf = nil, nil
	c.charge()
}

// linger reads away what the peer still sends, for a while: a socket that is closed with bytes unread is
// reset, which can destroy the answer before the peer has read it.
func (c *conn) linger() {
	nc, done, ok := c.wire.waiting()
	if !ok {
		return
	}
	defer done()
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = nc.SetReadDeadline(time.Now().Add(lingerTime))
	b := borrowBuffer()
	defer b.release()
	for left := lingerBytes; left > 0; {
		n, err := nc.Read(b.b)
		if left -= n; err != nil {
			return
		}
	}
}

// isEnd reports whether a read error means that the peer has closed.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
