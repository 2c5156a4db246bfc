package location

import (
	"sync/atomic"
	"time"
)

// Memory is a Store that keeps everything in memory and nothing beyond the process: every change is as durable
// as it will get at once.
type Memory struct {
	index  *Index
	latest atomic.Int64 // the latest now that a call brought, in Unix milliseconds: Stats has no other clock
	closed atomic.Bool
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store. It starts nothing: what has expired is dropped by the calls that come.
func NewMemory() *Memory { return &Memory{index: NewIndex()} }

// Update makes a change, which is durable when it returns.
func (m *Memory) Update(now time.Time, aor []byte, c Change, done Done) (durable bool, err error) {
	if m.closed.Load() {
		return false, ErrUnavailable
	}
	m.saw(now)
	return m.index.Update(now, aor, c, done, nil)
}

// View copies the live bindings of an AOR.
func (m *Memory) View(now time.Time, aor []byte, r *Record, buf []byte) ([]byte, bool) {
	if m.closed.Load() {
		r.Bindings = r.Bindings[:0]
		return buf, false
	}
	return m.index.View(now, aor, r, buf)
}

// List calls fn for a page of the AORs.
func (m *Memory) List(now time.Time, cursor string, limit int, fn func(aor []byte, r *Record)) (next string, err error) {
	if m.closed.Load() {
		return "", nil
	}
	m.saw(now)
	return m.index.List(now, cursor, limit, fn)
}

// Stats says how much the store holds, as of the latest time that a change or a list brought.
func (m *Memory) Stats() Stats {
	if m.closed.Load() {
		return Stats{}
	}
	m.index.Expire(time.UnixMilli(m.latest.Load()))
	return m.index.Stats()
}

// Close frees the store. There is nothing to wait for.
func (m *Memory) Close() error {
	m.closed.Store(true)
	return nil
}

func (m *Memory) saw(now time.Time) {
	ms := now.UnixMilli()
	for latest := m.latest.Load(); ms > latest; latest = m.latest.Load() {
		if m.latest.CompareAndSwap(latest, ms) {
			return
		}
	}
}
