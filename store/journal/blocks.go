package journal

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/location"
)

// blocks are the memory that a start reads its files into, and the goroutines that load the index from there.
//
// The reader owns a block, and the batch of what is in it, until it hands it over; then each loader owns its part of
// the batch, and the last to be done with its own puts the block among the free ones. Loaders take the blocks in the
// order in which they were handed over, and an AOR is always the same loader's: its records keep their order.
type blocks struct {
	index   *location.Index
	now     time.Time
	ahead   time.Duration
	moved   bool        // times of records were changed; the reader's
	made    int         // of blockSize
	free    chan *block // of blockSize, all of them when nobody has any
	loaders []chan *block
	running sync.WaitGroup
}

// block is a piece of a file.
type block struct {
	data    []byte
	batch   *location.Batch // of slices of data
	loading atomic.Int32    // loaders that are not done with it
}

func newBlocks(index *location.Index, now time.Time, ahead time.Duration) *blocks {
	return &blocks{index: index, now: now, ahead: ahead, free: make(chan *block, maxBlocks)}
}

// take returns an empty block of that size at least, when there is one.
func (bs *blocks) take(size int) *block {
	select {
	case b := <-bs.free:
		return b
	default:
	}
	if size == blockSize && bs.made == maxBlocks {
		return <-bs.free
	}
	if size == blockSize {
		bs.made++
	}
	return &block{data: make([]byte, size), batch: bs.index.NewBatch(bs.now, bs.ahead)}
}

// hand has a block loaded. A small one, which is all of a small file, is loaded here and now: for it no goroutine
// need begin.
func (bs *blocks) hand(b *block) {
	bs.moved = bs.moved || b.batch.Moved()
	if len(b.data) < blockSize && bs.loaders == nil {
		b.batch.Load(0, 1)
		return
	}
	if bs.loaders == nil {
		bs.begin()
	}
	b.loading.Store(int32(len(bs.loaders)))
	for _, loader := range bs.loaders {
		loader <- b
	}
}

// begin starts the loaders.
func (bs *blocks) begin() {
	bs.loaders = make([]chan *block, min(runtime.GOMAXPROCS(0), maxLoaders))
	for part := range bs.loaders {
		bs.loaders[part] = make(chan *block, maxBlocks)
		bs.running.Go(func() { bs.load(part) })
	}
}

// load loads one part of each block.
func (bs *blocks) load(part int) {
	for b := range bs.loaders[part] {
		b.batch.Load(part, len(bs.loaders))
		if b.loading.Add(-1) > 0 {
			continue
		}
		b.batch.Reset()
		if len(b.data) == blockSize {
			bs.free <- b
		}
	}
}

// wait ends the loaders when all that was handed over is loaded.
func (bs *blocks) wait() {
	for _, loader := range bs.loaders {
		close(loader)
	}
	bs.running.Wait()
	bs.loaders = nil
}
