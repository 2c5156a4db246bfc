package proxy

import (
	"bytes"
	"time"
)

// proceed starts the branches whose turn it is: targets of one q together, those of a lower q when all before have
// failed (RFC 3261 §16.6), and no more at a time than Max-Breadth has room for (RFC 5393 §5.3.3): the others wait.
func (c *ResponseContext) proceed(now time.Time) {
	if c.closed {
		return
	}
	if c.left == 0 {
		c.forgo()
		return
	}
	n := c.count(ready)
	if n == 0 && c.active == 0 {
		n = c.nextGroup()
	}
	open, each, first := shares(c.breadth-c.used, n)
	for i := 0; i < len(c.Targets.targets) && open > 0 && c.left > 0; i++ {
		if c.Targets.targets[i].state != ready {
			continue
		}
		breadth := each
		if first > 0 {
			breadth, first = first, 0
		}
		c.start(now, i, breadth)
		open--
	}
	if c.left == 0 {
		c.forgo()
	}
}

// forgo gives up the targets that have not been tried: the request has had its branches.
func (c *ResponseContext) forgo() {
	for i := range c.Targets.targets {
		c.Targets.targets[i].state = tried
	}
}

// share takes the part that one more branch has of those that are left: it is one itself, and the others are for what
// the request becomes beyond, if it comes back here. What is still to be tried gets as much, and so does what a 3xx
// may bring.
func (c *ResponseContext) share() (beyond uint32) {
	to := uint32(c.count(waiting) + c.count(ready))
	if c.proxy.recurse && c.Targets.Responsible {
		to++
	}
	part := max(c.left/max(to, 1), 1)
	c.left -= part
	return part - 1
}

// start opens a branch for a target.
func (c *ResponseContext) start(now time.Time, target int, breadth uint32) {
	b := branch{target: target, breadth: breadth, left: c.share()}
	c.Targets.targets[target].state = tried
	c.attempts++
	c.setTimerC(now, &b)
	c.branches = append(c.branches, b)
	c.active++
	c.used += breadth
	c.do(Action{Do: Start, Branch: len(c.branches) - 1, Breadth: breadth, Branches: b.left})
}

// nextGroup readies the targets of the highest q that wait, and counts them.
//
// RFC 5626 §7: of one instance only one at a time; its others wait until that one has failed.
func (c *ResponseContext) nextGroup() (n int) {
	list := c.Targets.targets
	rank := highestRank(list)
	for i := range list {
		if t := &list[i]; t.state == waiting && t.rank == rank && !c.instanceReady(t) {
			t.state = ready
			n++
		}
	}
	return n
}

// highestRank is that of the targets that wait.
func highestRank(list []Target) (rank uint64) {
	for i := range list {
		if list[i].state == waiting {
			rank = max(rank, list[i].rank)
		}
	}
	return rank
}

// instanceReady reports whether another target of t's instance is ready.
func (c *ResponseContext) instanceReady(t *Target) bool {
	if t.Instance == nil {
		return false
	}
	for i := range c.Targets.targets {
		o := &c.Targets.targets[i]
		if o.state == ready && bytes.Equal(o.Instance, t.Instance) {
			return true
		}
	}
	return false
}

// idle settles what a finished branch's end means to the other targets of its instance, and reports whether nothing
// is pending or to come.
//
// RFC 5626 §7: behind a flow that failed (430 or 408) another flow of the instance takes its place; behind any
// other final response the instance has answered and is not asked again.
func (c *ResponseContext) idle(i int, flowFailed bool) bool {
	ended := c.Target(i)
	if ended.Instance != nil {
		for j := range c.Targets.targets {
			t := &c.Targets.targets[j]
			if t.state != waiting || !bytes.Equal(t.Instance, ended.Instance) {
				continue
			}
			if flowFailed {
				t.state = ready
				break
			}
			t.state = tried
		}
	}
	return c.active == 0 && (c.closed || !c.pending())
}

// pending reports whether a target is still to be tried.
func (c *ResponseContext) pending() bool { return c.count(waiting)+c.count(ready) > 0 }

func (c *ResponseContext) count(state targetState) (n int) {
	for i := range c.Targets.targets {
		if c.Targets.targets[i].state == state {
			n++
		}
	}
	return n
}
