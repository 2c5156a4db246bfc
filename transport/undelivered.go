package transport

import "fmt"

// goneError is what is said of messages for a connection that has ended, by err if that is known better.
func goneError(why counter, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: closed: %s", ErrGone, counterNames[why].reason)
}

// report tells of the messages that a connection, to which nothing can be posted any more, has not sent.
//
// They are those that no write was begun for, and of the last write those that the socket did not take
// whole. Of what the system took nobody knows, nor of the buffer's worth that a peer was behind with:
// transactions have their timers for it.
func (c *conn) report(as counter, err error) {
	c.flushing.Lock()
	c.mu.Lock()
	w := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	c.flushing.Unlock()
	if w == nil {
		return
	}
	t := c.t
	t.counts.add(c.flow.Transport, as, w.left())
	if t.cfg.Undelivered != nil {
		w.each(func(m []byte) { t.cfg.Undelivered(c.flow, m, err) })
		t.Flush() // what was sent instead
	}
	w.giveBack()
}
