package resolve

import "time"

// Done takes the end of a look-up that had to wait for DNS. Resolved is called exactly once, on a
// goroutine of the resolver or of Close, maybe before Lookup has returned; the Targets belong to the
// caller again, and are empty if err is not nil. It must not block.
type Done interface {
	Resolved(err error)
}

// Lookup finds the targets of a URI (RFC 3263 §4). With ready they are in t. With neither ready nor an
// error DNS is to be asked first: t belongs to the resolver until done is called, at most some 15 s later.
// With an error t is empty and done is not called: there is no target (an [*Error]), or ErrBusy, or
// ErrClosed.
//
// It never waits, and does not allocate where nothing has to be asked, but for the name of a TLS server
// that is an address or redirected by maddr.
func (r *Resolver) Lookup(q Query, t *Targets, done Done) (ready bool, err error) {
	t.reset(r)
	var h hop
	if e := h.setURI(r, &q, t); e != nil {
		return false, e
	}
	return r.lookup(&h, t, done, q.For)
}

// lookup answers from memory, or begins a job.
func (r *Resolver) lookup(h *hop, t *Targets, done Done, asker Asker) (ready bool, err error) {
	r.counts.lookups.Add(1)
	w := walk{r: r, up: r.upstream.Load(), t: t, now: r.cfg.Now()}
	w.run(h)
	if len(w.missing) == 0 {
		return w.result()
	}
	r.counts.waited.Add(1)
	j := &job{hop: *h, t: t, done: done, asker: asker.turn(), deadline: w.now.Add(lookupTime), got: map[question]*answer{}}
	waiting, err := r.await(j, w.missing, w.now)
	if err == nil && !waiting {
		waiting, err = r.carryOn(j)
	}
	switch {
	case waiting:
		return false, nil
	case j.admitted:
		r.dismiss(j)
	}
	if err != nil {
		t.reset(r)
	}
	return err == nil, err
}

// result is the end of a pass that misses nothing.
func (w *walk) result() (ready bool, err error) {
	if w.err != nil {
		return false, w.err
	}
	return true, nil
}

// job is a look-up that waits for DNS. Its counts and what it got are guarded by the resolver's lock while
// it waits; else it belongs to the goroutine that carries it on.
type job struct {
	hop
	t        *Targets
	done     Done
	asker    Asker
	deadline time.Time
	got      map[question]*answer
	waiting  int // inquiries that are to be answered before it goes on
	rounds   int
	tries    bool // it asks in a zone that was silent
	admitted bool // it is one of Resolver.jobs
}

// carryOn does passes until the job has ended or waits again.
func (r *Resolver) carryOn(j *job) (waiting bool, err error) {
	for {
		w := walk{r: r, up: r.upstream.Load(), t: j.t, now: r.cfg.Now(), got: j.got}
		w.run(&j.hop)
		if len(w.missing) == 0 {
			_, err = w.result()
			return false, err
		}
		if waiting, err = r.await(j, w.missing, w.now); waiting || err != nil {
			return waiting, err
		}
	}
}

// finish ends a job that had waited.
func (r *Resolver) finish(j *job, err error) {
	r.dismiss(j)
	if err != nil {
		j.t.reset(r)
	}
	j.done.Resolved(err)
}

func (r *Resolver) dismiss(j *job) {
	r.mu.Lock()
	r.jobs--
	r.turns.dismiss(j.asker)
	r.mu.Unlock()
}
