package transport

import "sync"

// registry finds connections by their serial. Its shards keep senders on many cores apart.
type registry [64]struct {
	mu    sync.RWMutex
	conns map[uint64]*conn
	_     [32]byte // a cache line each
}

func (r *registry) put(c *conn) {
	s := &r[c.flow.Serial%uint64(len(r))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = map[uint64]*conn{}
	}
	s.conns[c.flow.Serial] = c
}

// find returns nil if there is none.
func (r *registry) find(serial uint64) *conn {
	s := &r[serial%uint64(len(r))]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.conns[serial]
}

func (r *registry) remove(serial uint64) {
	s := &r[serial%uint64(len(r))]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, serial)
}

// each calls fn for every connection; fn must not change the registry.
func (r *registry) each(fn func(*conn)) {
	for i := range r {
		s := &r[i]
		s.mu.RLock()
		for _, c := range s.conns {
			fn(c)
		}
		s.mu.RUnlock()
	}
}
