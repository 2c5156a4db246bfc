package proxy

import "time"

// Stop ends everything, since there is no more time: a caller who has no answer gets 503 (RFC 3261 §21.5.4), and what is
// pending is cancelled.
func (c *ResponseContext) Stop(time.Time) []Action {
	c.acts = c.acts[:0]
	if c.done {
		return c.acts
	}
	c.closed = true
	if !c.answered {
		c.answered = true
		c.do(Action{Do: Answer, Status: 503})
	}
	c.cancelAll()
	c.conclude(nil)
	return c.acts
}
