package journal

import (
	"sync"

	"biloxi/location"
)

// queue is the changes that wait for the disk. It is the index's Log: Write and Wait are called with an AOR's
// shard locked, so that the records of one AOR stand in the order in which its changes were made.
type queue struct {
	immediate bool // changes count as durable at once
	max       int  // bytes that may wait

	mu      sync.Mutex // guards what follows, and the filling group
	filling *group
	spare   *group // for filling, when that is taken; nil while the syncer has it
	taken   int    // cost of the group that the syncer has
	told    int    // how many of its changes are not durable
	next    uint64 // the sequence number of the next record
	refused bool   // no changes are taken while the disk fails
	closed  bool   // no changes are taken any more
	asleep  bool   // the syncer waits to be woken
	wake    chan struct{}
}

// group is changes that are written and synced together.
type group struct {
	buf      []byte // room for a mark, and the records
	last     uint64 // the sequence number of the last record, if there is any
	versions []location.Version
	dones    []location.Done
	cost     int // against the queue's max
}

func newQueue(cfg *Config) *queue {
	return &queue{
		immediate: cfg.Durability != Sync,
		max:       cfg.MaxPending,
		filling:   &group{},
		spare:     &group{},
		wake:      make(chan struct{}, 1),
	}
}

// Write appends the state of an AOR to the group that is forming.
func (q *queue) Write(aor, state []byte, v location.Version, done location.Done) (durable bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.admit(recordHead + len(aor) + len(state)); err != nil {
		return false, err
	}
	g := q.filling
	if len(g.buf) == 0 {
		g.buf = append(g.buf, make([]byte, markSize)...)
	}
	g.buf = appendState(g.buf, q.next, aor, state)
	g.last = q.next
	q.next++
	if !q.immediate {
		g.versions = append(g.versions, v)
		g.dones = append(g.dones, done)
	}
	q.rouse()
	return q.immediate, nil
}

// Wait lets done wait for the group that is forming. The change that it waits for is in this group or in the one
// before, which ends before this one does.
func (q *queue) Wait(done location.Done) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.admit(waitBytes); err != nil {
		return err
	}
	q.filling.dones = append(q.filling.dones, done)
	q.rouse()
	return nil
}

func (q *queue) admit(cost int) error {
	if q.refused || q.closed {
		return location.ErrUnavailable
	}
	if q.taken+q.filling.cost+cost > q.max {
		return location.ErrOverload
	}
	q.filling.cost += cost
	return nil
}

// rouse wakes the syncer, if it sleeps.
func (q *queue) rouse() {
	if !q.asleep {
		return
	}
	q.asleep = false
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// waiting returns how many changes wait. If none does, the next will wake the syncer.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.filling.dones)
	if n == 0 && len(q.filling.buf) > 0 {
		n = 1
	}
	q.asleep = n == 0
	return n
}

// take hands the group that has formed to the syncer, which gives it back.
func (q *queue) take() *group {
	q.mu.Lock()
	defer q.mu.Unlock()
	g := q.filling
	q.filling, q.spare = q.spare, nil
	q.taken, q.told = g.cost, len(g.dones)
	return g
}

// settled says that the changes of the group that was taken are durable. They are told of it next.
func (q *queue) settled() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.told = 0
}

// giveBack returns a group that has ended.
func (q *queue) giveBack(g *group) {
	clear(g.dones)
	g.dones, g.versions, g.buf, g.cost = g.dones[:0], g.versions[:0], g.buf[:0], 0
	if cap(g.buf) > keptBuffer {
		g.buf = nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spare, q.taken, q.told = g, 0, 0
}

// close takes no changes any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// refuse takes no changes until resume.
func (q *queue) refuse() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = true
}

// refuses reports whether no changes are taken since refuse.
func (q *queue) refuses() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refused
}

// resume takes changes again after refuse.
func (q *queue) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused = false
}

// pending is how many changes are not durable yet.
func (q *queue) pending() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.told + len(q.filling.dones)
}
