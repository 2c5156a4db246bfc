package resolve

import "time"

// inquiry is a question that is being asked, or is to be: one for all jobs that need it. It is guarded by
// the resolver's lock.
type inquiry struct {
	question
	waiters  []*job
	deadline time.Time // the last of its waiters'
}

// await makes a job wait for the answers that it misses; if they have come meanwhile it need not wait. An
// error ends the job.
func (r *Resolver) await(j *job, missing []question, now time.Time) (waiting bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return false, ErrClosed
	case !j.admitted && r.jobs >= r.cfg.MaxPending:
		r.counts.refused.Add(1)
		return false, ErrBusy
	case now.After(j.deadline):
		return false, tooLate(string(j.t.host))
	case j.rounds == maxRounds:
		return false, &Error{Name: string(j.t.host), Kind: ErrServerFailure, Detail: "its records lead from one to the next without end: its zone needs repair"}
	}
	if !j.admitted {
		j.admitted = true
		r.jobs++
	}
	j.rounds++
	for _, q := range missing {
		if a := r.cache.get([]byte(q.name), q.qtype, now); a != nil {
			j.got[q] = a
			continue
		}
		r.inquire(q).join(j)
	}
	return j.waiting > 0, nil
}

// inquire returns the inquiry for a question, which is put into the queue if there is none yet. The queue
// is bounded: each of at most MaxPending jobs needs a bounded number of answers.
func (r *Resolver) inquire(q question) *inquiry {
	i := r.inquiries[q]
	if i == nil {
		i = &inquiry{question: q}
		r.inquiries[q] = i
		r.queue = append(r.queue, i)
		r.wake.Signal()
	}
	return i
}

func (i *inquiry) join(j *job) {
	if n := len(i.waiters); n > 0 && i.waiters[n-1] == j {
		return // it needs the same answer for two records
	}
	i.waiters = append(i.waiters, j)
	j.waiting++
	if j.deadline.After(i.deadline) {
		i.deadline = j.deadline
	}
}

// work asks what is in the queue until Close.
func (r *Resolver) work() {
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.closed {
			r.wake.Wait()
		}
		if r.closed {
			r.mu.Unlock()
			return
		}
		i, deadline := r.pop()
		r.mu.Unlock()
		r.serve(i, deadline)
	}
}

// pop takes the first inquiry; r.mu is held.
func (r *Resolver) pop() (i *inquiry, deadline time.Time) {
	i = r.queue[0]
	r.queue[0] = nil
	r.queue = r.queue[1:]
	return i, i.deadline
}

// serve asks a question and carries on the jobs that have waited for it.
func (r *Resolver) serve(i *inquiry, deadline time.Time) {
	var a *answer
	up := r.upstream.Load()
	if now := r.cfg.Now(); now.After(deadline) {
		a = late(i.question, now)
	} else {
		r.counts.questions.Add(1)
		a = r.ask(up, i.question)
	}
	if a.outcome == failed {
		r.counts.failures.Add(1)
	}
	for _, j := range r.settle(i, a, up) {
		if waiting, err := r.carryOn(j); !waiting {
			r.finish(j, err)
		}
	}
}

// settle gives the answer to all who wait, and returns those that need no other. It is not remembered if
// the name servers are others by now.
func (r *Resolver) settle(i *inquiry, a *answer, up *upstream) (ready []*job) {
	now := r.cfg.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && up == r.upstream.Load() {
		r.cache.put(i.question, a, now)
	}
	delete(r.inquiries, i.question)
	for _, j := range i.waiters {
		j.got[i.question] = a
		if j.waiting--; j.waiting == 0 {
			ready = append(ready, j)
		}
	}
	return ready
}

// abandon ends the jobs that wait when the workers have gone.
func (r *Resolver) abandon() {
	r.mu.Lock()
	ended := map[*job]bool{}
	for _, i := range r.inquiries {
		for _, j := range i.waiters {
			ended[j] = true
		}
	}
	clear(r.inquiries)
	r.queue = nil
	r.mu.Unlock()
	for j := range ended {
		r.finish(j, ErrClosed)
	}
}
