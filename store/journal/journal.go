package journal

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/location"
)

// ErrLocked says that another process uses the data folder.
var ErrLocked = errors.New("journal: another server uses this data folder")

// Journal is a location.Store that keeps its changes on disk.
type Journal struct {
	cfg   Config
	index *location.Index
	queue *queue
	data  folder

	syncer  syncer
	keeper  keeper
	stop    chan struct{} // closed when the keeper is to end
	closed  atomic.Bool
	closing sync.Once
	ended   error // of the first Close
	running sync.WaitGroup
}

var _ location.Store = (*Journal)(nil)

// Open opens the store in cfg.Dir, reads what is there, and starts the goroutines that keep it. Errors are
// ErrLocked, ErrCorrupt, or the file system's. On a disk that is full, or takes no writes, it serves what is there,
// and gives ErrUnavailable to changes until the disk can be written.
func Open(cfg Config) (*Journal, error) {
	cfg = cfg.withDefaults()
	j := &Journal{cfg: cfg, index: location.NewIndex(), queue: newQueue(&cfg), data: folder{fs: cfg.FS, dir: cfg.Dir}, stop: make(chan struct{})}
	err := j.data.take()
	if err == nil {
		cfg.Locked()
		err = j.start()
	}
	if err == nil {
		return j, nil
	}
	j.data.close()
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrLocked) {
		return nil, err
	}
	return nil, fmt.Errorf("journal: %w", err)
}

func (j *Journal) start() error {
	l := loader{fs: j.cfg.FS, dir: j.cfg.Dir, index: j.index, now: j.cfg.Now(), log: j.cfg.Logger}
	if err := l.load(); err != nil {
		return err
	}
	j.queue.next = l.next
	room := &reserve{cfg: &j.cfg}
	j.data.base.Store(l.snapshot)
	j.syncer = syncer{cfg: &j.cfg, index: j.index, queue: j.queue, folder: &j.data, room: room,
		written: l.next - 1, durable: l.next - 1, rotations: make(chan rotation)}
	err := l.failed
	if err == nil {
		err = j.syncer.first(&l)
	}
	if err != nil && !mayPass(err) {
		return err
	}
	if err != nil {
		// What is there is served, and the syncer goes on trying.
		j.syncer.generation = l.generation
		j.syncer.fail(err)
	}
	j.keeper = keeper{cfg: &j.cfg, index: j.index, syncer: &j.syncer, room: room, stop: j.stop, journals: l.journals + 1, bytes: l.journalBytes}
	j.running.Go(j.syncer.run)
	j.running.Go(j.keeper.run)
	return nil
}

// Update makes a change. Done is called on the syncer's goroutine.
func (j *Journal) Update(now time.Time, aor []byte, c location.Change, done location.Done) (durable bool, err error) {
	if j.closed.Load() {
		return false, location.ErrUnavailable
	}
	return j.index.Update(now, aor, c, done, j.queue)
}

// View copies the live bindings of an AOR.
func (j *Journal) View(now time.Time, aor []byte, r *location.Record, buf []byte) ([]byte, bool) {
	if j.closed.Load() {
		r.Bindings = r.Bindings[:0]
		return buf, false
	}
	return j.index.View(now, aor, r, buf)
}

// List calls fn for a page of the AORs.
func (j *Journal) List(now time.Time, cursor string, limit int, fn func(aor []byte, r *location.Record)) (next string, err error) {
	if j.closed.Load() {
		return "", nil
	}
	return j.index.List(now, cursor, limit, fn)
}

// Stats says how much the store holds.
func (j *Journal) Stats() location.Stats {
	st := j.index.Stats()
	st.Pending = j.queue.pending()
	return st
}

// Close takes no more changes, ends those that were taken, and frees the folder. An error says that acknowledged
// changes may not be on disk, which with Sync they are.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		j.closed.Store(true)
		close(j.stop)
		j.queue.close()
		j.syncer.finish()
		j.running.Wait()
		j.ended = j.syncer.end()
		j.data.close()
	})
	return j.ended
}
