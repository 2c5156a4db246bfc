package resolve

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// endpoint is what can fail: one server, however it was found.
type endpoint struct {
	transport sip.Transport
	addr      netip.AddrPort
}

// rest is how long an endpoint is left alone, and when its failure is forgotten.
type rest struct{ until, forget time.Time }

// failures are the endpoints that failed. It is for many goroutines; its lock guards the map.
type failures struct {
	count atomic.Int32 // entries, so that a look-up takes no lock while nothing failed
	mu    sync.Mutex
	rests map[endpoint]rest
}

// Failed says that a target did not take a request: no response before Timer B or F, a transport error,
// or a 503 (RFC 3263 §4.3). For a while it is put behind those that did not fail. retryAfter is what its
// 503 asked for (RFC 3261 §21.5.4), cut to MaxRest; 0 stands for [Config].Rest.
func (r *Resolver) Failed(target Target, retryAfter time.Duration) {
	if retryAfter <= 0 {
		retryAfter = r.cfg.Rest
	}
	r.failures.note(r.cfg.Now(), endpoint{target.Transport, target.Addr}, min(retryAfter, MaxRest))
}

// Answered says that a target that may have failed before took a request: any response but a 503. A
// caller that never says so leaves a target that is back to one caller in 32 s until MaxRest has passed.
// It is cheap while nothing has failed.
func (r *Resolver) Answered(target Target) {
	if r.failures.count.Load() > 0 {
		r.failures.forget(endpoint{target.Transport, target.Addr})
	}
}

func (f *failures) note(now time.Time, e endpoint, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rests == nil {
		f.rests = map[endpoint]rest{}
	}
	if _, ok := f.rests[e]; !ok && len(f.rests) >= maxFailed {
		f.makeRoom(now)
	}
	until := now.Add(d)
	f.rests[e] = rest{until, until.Add(MaxRest)}
	f.count.Store(int32(len(f.rests)))
}

// makeRoom drops what is forgotten, or some other.
func (f *failures) makeRoom(now time.Time) {
	for e, r := range f.rests {
		if !now.Before(r.forget) {
			delete(f.rests, e)
		}
	}
	for e := range f.rests {
		if len(f.rests) < maxFailed {
			return
		}
		delete(f.rests, e)
	}
}

func (f *failures) forget(e endpoint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.rests, e)
	f.count.Store(int32(len(f.rests)))
}

// resting reports whether the endpoint is to be left alone. When its rest is over, the first who asks
// with probe tries it, and the others leave it alone until that has had time to end.
func (f *failures) resting(now time.Time, e endpoint, probe bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, ok := f.rests[e]
	switch {
	case !ok:
		return false
	case now.Before(r.until):
		return true
	case !now.Before(r.forget):
		delete(f.rests, e)
		f.count.Store(int32(len(f.rests)))
	case probe:
		r.until = now.Add(probeTime)
		f.rests[e] = r
	}
	return false
}

// putLast moves the targets that rest behind the others; within both the order stays (RFC 3263 §4.3: a
// failed target is passed over, not forgotten).
func (f *failures) putLast(now time.Time, t *Targets) {
	if f.count.Load() == 0 || len(t.list) < 2 {
		return
	}
	var resting [MaxTargets]Target
	live, asleep := 0, 0
	for _, target := range t.list {
		// Only who tries it first tries it for the others.
		if f.resting(now, endpoint{target.Transport, target.Addr}, live == 0) {
			resting[asleep] = target
			asleep++
			continue
		}
		t.list[live] = target
		live++
	}
	copy(t.list[live:], resting[:asleep])
}
