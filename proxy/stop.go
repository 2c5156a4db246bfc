package proxy

import "time"

// Stop ends everything, since there is no more time: a caller who has no answer gets 503 (RFC 3261 §21.5.4), or
// 487 if he has cancelled, and what is pending is cancelled.
func (c *ResponseContext) Stop(time.Time) []Action {
	c.acts = c.acts[:0]
	if c.done {
		return c.acts
	}
	c.closed = true
	if !c.answered {
		c.answered = true
		status := 503
		if c.cancelled {
			status = 487 // RFC 3261 §9.2: what he waits for
		}
		c.do(Action{Do: Answer, Status: status})
	}
	c.cancelAll(0)
	c.conclude(nil)
	return c.acts
}
