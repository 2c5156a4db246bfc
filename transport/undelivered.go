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
// whole. What the system took, or what waited behind a peer that does not read as bytes of a write that had
// begun, nobody knows of: transactions have their timers for it.
func (c *conn) report(as counter, err error) {
	c.flushing.Lock()
	c.mu.Lock()
	lost, waiting := c.lost, c.waiting
	c.lost, c.waiting = nil, nil
	c.mu.Unlock()
	c.flushing.Unlock()
	c.reportEach(lost, as, err)
	c.reportEach(waiting, as, err)
}

func (c *conn) reportEach(l *backlog, as counter, err error) {
	if l == nil {
		return
	}
	t := c.t
	t.counts.add(c.flow.Transport, as, len(l.ends))
	if t.cfg.Undelivered != nil {
		l.each(func(m []byte) { t.cfg.Undelivered(c.flow, m, err) })
		t.Flush() // what it sent instead
	}
	l.giveBack()
}
