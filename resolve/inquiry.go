package resolve

import "time"

// inquiry is a question that is being asked, or is to be: one for all jobs that need it. It is guarded by
// the resolver's lock.
type inquiry struct {
	question
	zone     string
	stranger bool  // only strangers need it
	begun    bool  // it is being asked, or needs no asking any more
	lane     *lane // whose turn it took
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
	case now.After(j.deadline):
		return false, tooLate(string(j.t.host))
	case j.rounds == maxRounds:
		return false, &Error{Name: string(j.t.host), Kind: ErrServerFailure, Detail: "its records lead from one to the next without end: its zone needs repair"}
	}
	if !j.admitted {
		if r.jobs >= r.cfg.MaxPending || !r.turns.admit(j.asker, r.cfg.MaxPending) {
			r.counts.refused.Add(1)
			return false, ErrBusy
		}
		j.admitted = true
		r.jobs++
	}
	j.rounds++
	for _, q := range missing {
		if a := r.known([]byte(q.name), q.qtype, now); a != nil {
			j.got[q] = a
		} else if i := r.inquire(q, j, now); i != nil {
			i.join(j)
		} else {
			j.got[q] = unasked(q, now)
		}
	}
	return j.waiting > 0, nil
}

// inquire returns the inquiry for a question, which is queued if there is none yet, or nil if it is not to be asked
// now. The queues are bounded: each of at most MaxPending jobs needs a bounded number of answers.
func (r *Resolver) inquire(q question, j *job, now time.Time) *inquiry {
	i, a := r.inquiries[q], j.asker
	switch {
	case i == nil:
		zone := zoneOf(q.name)
		if !j.tries && r.silences.silent(zone, a, now) {
			return nil
		}
		j.tries = j.tries || r.silences.try(zone, now)
		i = &inquiry{question: q, zone: zone, stranger: a.Stranger}
		r.inquiries[q] = i
	case i.stranger && !a.Stranger:
		i.stranger = false // it need not wait until it is the strangers' turn
	default:
		return i
	}
	if !i.begun {
		r.turns.add(i, a)
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

// work asks what is queued until Close.
func (r *Resolver) work() {
	for {
		r.mu.Lock()
		i := r.turns.pop()
		for i == nil && !r.closed {
			r.wake.Wait()
			i = r.turns.pop()
		}
		if r.closed {
			r.mu.Unlock()
			return
		}
		deadline := i.deadline
		r.mu.Unlock()
		r.serve(i, deadline)
	}
}

// serve asks a question and carries on the jobs that have waited for it.
func (r *Resolver) serve(i *inquiry, deadline time.Time) {
	var a *answer
	up, began := r.upstream.Load(), r.cfg.Now()
	if began.After(deadline) {
		a = late(i.question, began)
	} else {
		r.counts.questions.Add(1)
		a = r.ask(up, i.question)
		a.took = r.cfg.Now().Sub(began)
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
	r.turns.done(i)
	ready = r.give(i, a, ready)
	r.wake.Signal() // a zone or an asker may have room now, beside what this worker takes next
	if r.closed || up != r.upstream.Load() {
		return ready
	}
	if i.stranger {
		r.strange.put(i.question, a, now)
	} else {
		r.cache.put(i.question, a, now)
	}
	switch {
	case a.outcome != failed:
		r.silences.answered(i.zone)
	case !a.unheard():
		r.silences.unclear(i.zone, now)
	case r.silences.unanswered(i.zone, now):
		ready = r.giveUp(now, ready)
	}
	return ready
}

// give gives an answer to all who wait for an inquiry, and adds those that need no other to the list.
func (r *Resolver) give(i *inquiry, a *answer, ready []*job) []*job {
	delete(r.inquiries, i.question)
	i.begun = true
	for _, j := range i.waiters {
		j.got[i.question] = a
		if j.waiting--; j.waiting == 0 {
			ready = append(ready, j)
		}
	}
	return ready
}

// giveUp answers what waits for its turn in zones that have turned out to be silent.
func (r *Resolver) giveUp(now time.Time, ready []*job) []*job {
	for _, i := range r.inquiries {
		if !i.begun && r.silences.silent(i.zone, Asker{Stranger: i.stranger}, now) {
			ready = r.give(i, unasked(i.question, now), ready)
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
	r.turns.clear()
	r.mu.Unlock()
	for j := range ended {
		r.finish(j, ErrClosed)
	}
}
