package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
)

// run is one measurement under way.
type run struct {
	config *Config
	id     uint32 // in branches and Call-IDs, so that none is that of an earlier run
	epoch  time.Time

	workers  []*worker
	gangs    []*gang     // that the workers belong to; none: each has a goroutine of its own
	counters []counters  // each for some of the workers
	latency  []Histogram // the same

	measuring atomic.Bool
	aborted   atomic.Bool
	left      atomic.Int64 // of Config.Count
	resting   atomic.Int64 // workers that have ended what was theirs of the stage

	mu     sync.Mutex
	sample *Sample
	err    error // the first that ended a worker
}

// shards is how many counters and histograms there are at most, so that those of thousands of connections
// do not take more memory than they.
const shards = 16

// Run measures. It returns what was measured also when the context was cancelled, and with an error that
// ended it early.
func Run(ctx context.Context, c Config) (*Result, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	r := newRun(&c)
	if c.Scenario == Connect {
		return r.connect(ctx)
	}
	defer r.closeAll()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	before, main, after := c.stages()
	res := r.newResult()
	if before != nil {
		if err := r.prepare(ctx, before); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Canceled
	}
	err := r.measure(ctx, main, res)
	r.total(res)
	if err != nil && res.Operations == 0 {
		return nil, err
	}
	if after != nil && err == nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout())
		defer cancel()
		err = r.do(clean, after, func(<-chan struct{}) {})
	}
	return res, err
}

func newRun(c *Config) *run {
	c.settle()
	n := min(c.Workers, shards)
	r := &run{config: c, id: rand.Uint32(), epoch: time.Now(), counters: make([]counters, n), latency: make([]Histogram, n)}
	r.left.Store(c.Count)
	return r
}

func (r *run) clock() time.Duration { return time.Since(r.epoch) }

// open makes the sockets or connections and shares out users and lanes.
func (r *run) open(ctx context.Context) error {
	c := r.config
	wires := make([]wire, c.Workers)
	r.workers = make([]*worker, c.Workers)
	shares := shareUsers(c.Users, c.Workers)
	err := each(c.Workers, c.Concurrency, func(i int) (err error) {
		if wires[i], err = c.dial(ctx); err != nil {
			return err
		}
		lanes := (c.Concurrency + c.Workers - 1 - i) / c.Workers
		r.workers[i] = newWorker(r, i, lanes, shares[i], wires[i])
		return nil
	})
	if err != nil {
		return err
	}
	if c.Scenario.proxied() && c.Transport.Reliable() {
		// A call goes from one connection to another, as between two phones.
		for i, w := range r.workers {
			w.peers = r.workers[(i+1)%c.Workers].users
		}
	}
	r.gangs, err = r.newGangs()
	return err
}

// shareUsers gives each worker its users, in turns.
func shareUsers(all []Subscriber, workers int) [][]user {
	shares := make([][]user, workers)
	for i := range shares {
		shares[i] = make([]user, 0, (len(all)+workers-1)/workers)
	}
	for i, s := range all {
		name := s.Name
		if strings.Contains(name, "%") {
			name = string(sip.AppendUnescaped(nil, []byte(name)))
		}
		w := i % workers
		shares[w] = append(shares[w], user{name: s.Name, username: name, password: s.Password, index: uint32(i)})
	}
	return shares
}

func (c *Config) dial(ctx context.Context) (wire, error) {
	switch c.Transport {
	case sip.UDP:
		return dialUDP(c.Server)
	case sip.TCP:
		return dialStream(ctx, c.Server, nil)
	}
	return dialStream(ctx, c.Server, c.TLS)
}

// each calls do for 0 to n-1, so many at a time, and returns the first error.
func each(n, atOnce int, do func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, min(n, atOnce))
	for g := range errs {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[g] == nil; i = int(next.Add(1)) - 1 {
				errs[g] = do(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) closeAll() {
	for _, g := range r.gangs {
		g.close()
	}
	for _, w := range r.workers {
		if w != nil && w.wire != nil {
			w.wire.close()
		}
	}
}

// do runs a stage on all workers, and what goes on beside it, which may end when the channel is closed. A
// cancelled context ends the stage at once.
func (r *run) do(ctx context.Context, s *stage, beside func(done <-chan struct{})) error {
	stop := context.AfterFunc(ctx, func() { r.aborted.Store(s.once); s.ended.Store(true) })
	defer stop()
	r.resting.Store(0)
	r.aborted.Store(false)
	done := make(chan struct{})
	var wg, side sync.WaitGroup
	for _, g := range r.gangs {
		wg.Go(func() { g.loop(s) })
	}
	if len(r.gangs) == 0 {
		for _, w := range r.workers {
			wg.Go(func() { r.keepError(w.loop(s)) })
		}
	}
	side.Go(func() { r.report(s, done) })
	side.Go(func() { beside(done) })
	wg.Wait()
	close(done)
	side.Wait()
	return r.err
}

// keepError keeps the first error; err may be nil.
func (r *run) keepError(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// prepare runs the stage before the measurement, in which nothing may go wrong.
func (r *run) prepare(ctx context.Context, s *stage) error {
	if err := r.do(ctx, s, func(<-chan struct{}) {}); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	sum := r.newResult()
	r.total(sum)
	if n := sum.Unanswered + sum.Wrong; n > 0 {
		return &PrepareError{Failed: n, Sample: r.sample}
	}
	for i := range r.counters {
		r.counters[i].reset()
	}
	return nil
}

// PrepareError says that the registrations before the measurement did not all succeed.
type PrepareError struct {
	Failed int64
	Sample *Sample
}

func (e *PrepareError) Error() string {
	text := fmt.Sprintf("%d of the registrations before the measurement failed", e.Failed)
	if e.Sample == nil {
		return text
	}
	return text + ": " + e.Sample.summary()
}

// measure runs the main stage: the warm-up, the measured time, and the end of what is under way then.
func (r *run) measure(ctx context.Context, s *stage, res *Result) error {
	begin := func() {
		res.begin(r.config)
		r.measuring.Store(true)
	}
	res.before(r.config)
	if r.config.Warmup == 0 {
		begin() // before any operation, so that a count is exact
	}
	return r.do(ctx, s, func(done <-chan struct{}) {
		if r.config.Warmup > 0 {
			pause(ctx, done, r.config.Warmup)
			begin()
		}
		duration := r.config.Duration
		if duration == 0 {
			duration = 1<<63 - 1
		}
		pause(ctx, done, duration)
		r.measuring.Store(false)
		res.end(r.config)
		s.ended.Store(true)
		// RFC 3261 §17.1.2.2 Timer F ends what is not answered; one who interrupts does not wait for that.
		pause(context.WithoutCancel(ctx), done, r.drain(ctx))
		r.aborted.Store(true)
		res.after(r.config)
	})
}

func (r *run) drain(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return r.config.T1
	}
	return r.config.timeout() + time.Second
}

// pause waits for the duration, or less if the context is cancelled or done closed.
func pause(ctx context.Context, done <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-done:
	}
}

// report tells every second how the stage goes.
func (r *run) report(s *stage, done <-chan struct{}) {
	if r.config.Progress == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	start, last := time.Now(), r.sum(func(c *counters) *atomic.Int64 { return &c.done })
	first := last
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		n := r.sum(func(c *counters) *atomic.Int64 { return &c.done })
		p := Progress{Stage: s.name, Elapsed: time.Since(start), Operations: n - first, Rate: float64(n - last), Errors: r.errorsSoFar()}
		switch {
		case s.measured && s.ended.Load():
			p.Stage = "ending"
		case s.measured && !r.measuring.Load():
			p.Stage = "warming up"
		}
		r.config.Progress(p)
		last = n
	}
}

func (r *run) sum(of func(*counters) *atomic.Int64) (n int64) {
	for i := range r.counters {
		n += of(&r.counters[i]).Load()
	}
	return n
}

func (r *run) errorsSoFar() (n int64) {
	for i := range r.counters {
		c := &r.counters[i]
		n += c.unanswered.Load()
		for f := range c.faults {
			n += c.faults[f].Load()
		}
	}
	return n
}

// IsRefused reports whether nobody listened at the server's address.
func IsRefused(err error) bool { return errors.Is(err, errRefused) }
