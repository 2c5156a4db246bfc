package transaction

import "sync"

// chunks are the memory of a layer's logs, in pieces of chunkBytes that the garbage collector does not know of: what
// is live there does not let the heap grow as much again before it is collected. They are for all goroutines.
type chunks struct {
	mu    sync.Mutex
	spare [][]byte
	held  map[*byte][]byte // all that there are; nil once closed
}

func newChunks() *chunks { return &chunks{held: map[*byte][]byte{}} }

// take returns a chunk, which is empty.
func (c *chunks) take() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last := len(c.spare) - 1; last >= 0 {
		b := c.spare[last]
		c.spare[last] = nil
		c.spare = c.spare[:last]
		return b
	}
	b := mapChunk()
	c.held[&b[0]] = b
	return b[:0]
}

// put takes a chunk back.
func (c *chunks) put(b []byte) {
	b = b[:cap(b)]
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < spareChunks {
		c.spare = append(c.spare, b[:0])
		return
	}
	delete(c.held, &b[0])
	unmapChunk(b)
}

// close gives all of them back: those who used them are no more.
func (c *chunks) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.held {
		unmapChunk(b)
	}
	c.spare, c.held = nil, nil
}
