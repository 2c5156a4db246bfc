package bench

import (
	"sync/atomic"
	"time"
)

// stage is what the workers do until it has ended: prepare, measure, clean up.
type stage struct {
	name       string
	step, then step // of each operation
	once       bool // for each user once, and then the stage has ended
	fresh      bool // each operation begins without a nonce
	measured   bool
	proxied    bool          // phones are called
	interval   time.Duration // between the operations of one worker; 0: as one ends, the next begins
	workers    int
	ended      atomic.Bool
}

// offset spreads the workers' first operations over an interval.
func (s *stage) offset(index int) time.Duration {
	return s.interval * time.Duration(index) / time.Duration(max(s.workers, 1))
}

// allow takes one operation off those that are left to begin.
func (s *stage) allow(r *run) bool {
	if !s.measured || r.config.Count == 0 || !r.measuring.Load() || r.left.Add(-1) >= 0 {
		return true
	}
	s.ended.Store(true)
	return false
}

// stages are what a scenario consists of: before, the measured one, and after. A nil one is left out.
func (c *Config) stages() (before, main, after *stage) {
	register := &stage{name: "registering", step: stepRegister, once: true}
	replace := &stage{name: "registering", step: stepClear, then: stepRegister, once: true}
	remove := &stage{name: "removing contacts", step: stepClear, once: true}
	main = &stage{name: "measuring", measured: true, proxied: c.Scenario.proxied(), workers: c.Workers}
	if c.Rate > 0 {
		main.interval = time.Duration(float64(time.Second) * float64(c.Workers) / c.Rate)
	}
	switch c.Scenario {
	case Options:
		main.step = stepOptions
	case Register:
		main.step, main.fresh = stepRegister, true
	case Refresh:
		main.step, before = stepRegister, register
	case Query:
		main.step, before = stepQuery, register
	case Message:
		main.step, before, after = stepMessage, replace, remove
	case Call:
		main.step, before, after = stepInvite, replace, remove
	}
	return before, main, after
}
