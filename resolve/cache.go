package resolve

import (
	"sync"
	"time"
)

// cache holds answers until their time has passed. It is for many goroutines; its lock guards the map,
// and what the map points to does not change.
type cache struct {
	mu      sync.RWMutex
	answers map[question]*answer
	max     int
}

// get returns the answer to a question, nil if none is known or its time has passed. It does not allocate.
func (c *cache) get(name []byte, qtype uint16, now time.Time) *answer {
	c.mu.RLock()
	a := c.answers[question{string(name), qtype}]
	c.mu.RUnlock()
	if a == nil || !now.Before(a.expires) {
		return nil
	}
	return a
}

// known is what is remembered of a question, whoever asked it.
func (r *Resolver) known(name []byte, qtype uint16, now time.Time) *answer {
	if a := r.cache.get(name, qtype, now); a != nil {
		return a
	}
	return r.strange.get(name, qtype, now)
}

// put remembers an answer, unless it may not be.
func (c *cache) put(q question, a *answer, now time.Time) {
	if !now.Before(a.expires) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.answers[q]; !ok && len(c.answers) >= c.max {
		c.evict()
	}
	c.answers[q] = a
}

// evict makes room for one answer: of some that the map happens to begin with, the one that ends first
// goes. That takes the same time however many there are.
func (c *cache) evict() {
	var first question
	var expires time.Time
	seen := 0
	for q, a := range c.answers {
		if seen == 0 || a.expires.Before(expires) {
			first, expires = q, a.expires
		}
		if seen++; seen == evictionSample {
			break
		}
	}
	delete(c.answers, first)
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.answers)
}

func (c *cache) len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.answers)
}
