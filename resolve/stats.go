package resolve

import "sync/atomic"

// counts are what Stats reports.
type counts struct {
	lookups, waited, questions, exchanges, failures, refused atomic.Uint64
}

// Stats are counters since New, and what there is now.
type Stats struct {
	Lookups   uint64 // look-ups
	Waited    uint64 // look-ups that needed DNS
	Questions uint64 // questions asked of DNS
	Exchanges uint64 // queries sent for them, with other servers and repetitions
	Failures  uint64 // questions that got no answer of use
	Refused   uint64 // look-ups that got ErrBusy
	Pending   int    // look-ups that wait
	Cached    int    // answers in memory
	Failed    int    // targets that failed lately
}

// Stats returns the counters.
func (r *Resolver) Stats() Stats {
	r.mu.Lock()
	pending := r.jobs
	r.mu.Unlock()
	c := &r.counts
	return Stats{
		Lookups: c.lookups.Load(), Waited: c.waited.Load(), Questions: c.questions.Load(),
		Exchanges: c.exchanges.Load(), Failures: c.failures.Load(), Refused: c.refused.Load(),
		Pending: pending, Cached: r.cache.len() + r.strange.len(), Failed: int(r.failures.count.Load()),
	}
}
