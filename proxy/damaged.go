package proxy

import "time"

// Doubt is a branch that can hardly answer any more: the connection that its request went over is gone, or its final
// response was for nobody. If it has not answered within some seconds all the same, by another connection, it ends as if
// status had come (RFC 3261 §16.9; 0 and what cannot stand alone is 502); more says that its next hop has another address
// to try then.
func (c *ResponseContext) Doubt(now time.Time, i int, status int, more bool) []Action {
	c.acts = c.acts[:0]
	if b := &c.branches[i]; b.state != finished && b.doubt == 0 {
		b.doubt, b.more, b.timerC = Speaking(status), more, now.Add(answerPatience)
	}
	return c.acts
}

// Damaged is a response to a branch that cannot be passed on. A provisional one is passed over. A final one ends the branch
// as if we had made it, since who asked is to hear something soon: with its own status where that says enough by itself,
// else with 502 (RFC 3261 §21.5.3). status is 0 where it cannot be read. open says that the branch's transaction has not
// taken it for its final response: it is given up, or cancelled if it may be that the phone still rings.
func (c *ResponseContext) Damaged(now time.Time, i int, status int, open bool) []Action {
	c.acts = c.acts[:0]
	b := &c.branches[i]
	switch {
	case b.state == finished:
		return c.acts
	case 100 <= status && status < 200:
		c.provisional(now, i, 100)
		return c.acts
	case open && status == 0 && c.invite && b.state == proceeding:
		c.cancel(i, 0)
	case open:
		c.do(Action{Do: Abandon, Branch: i})
	}
	status = Speaking(status)
	if status >= 600 {
		// RFC 3261 §16.7 step 5, as of one that can be passed on.
		c.closed = true
		c.stop(i)
		c.cancelAll(status)
	}
	c.note(status)
	c.finish(now, i, status == 503 || status == 430 || status == 408)
	return c.acts
}

// Speaking is the status that a response is made with for one that is damaged. A 2xx or 3xx says nothing without what else
// is in it, nor does a challenge.
func Speaking(status int) int {
	if status < 400 || status > 699 || isChallenge(status) {
		return 502
	}
	return status
}

// lose ends the doubt about a branch.
func (c *ResponseContext) lose(now time.Time, i int) {
	b := &c.branches[i]
	status := b.doubt
	b.doubt = 0
	if b.more && c.attempts < MaxBranches && !c.closed && !b.cancelIt {
		c.again(now, i)
		return
	}
	c.note(status)
	c.finish(now, i, true)
}
