package journal

import (
	"errors"
	"time"

	"biloxi/location"
)

// keeper drops what has expired, and writes a snapshot when the journals have grown too large. It owns its own
// fields; its goroutine waits for the disk, and nobody waits for it.
type keeper struct {
	cfg       *Config
	index     *location.Index
	syncer    *syncer
	room      *reserve
	stop      chan struct{}
	journals  int       // since the last snapshot
	bytes     int64     // in them, but for what the syncer still counts
	owed      uint64    // the generation whose snapshot could not be written; 0: none
	notBefore time.Time // the next attempt at a snapshot
}

var errStopped = errors.New("journal: stopped")

func (k *keeper) run() {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-k.stop:
			return
		case <-ticker.C:
		}
		k.index.Expire(k.cfg.Now())
		if k.due() {
			k.snapshot()
		}
		if st := k.index.Stats(); !k.syncer.queue.refuses() {
			k.room.keep(st.Records + int64(st.AORs)*aorOverhead + snapshotOverhead)
		}
	}
}

// due reports whether a snapshot is to be written.
func (k *keeper) due() bool {
	if time.Now().Before(k.notBefore) {
		return false
	}
	most := max(k.cfg.SnapshotBytes, liveFactor*k.index.Stats().Records)
	return k.bytes+k.syncer.journalBytes.Load() > most || k.journals > maxJournals
}

// snapshot begins a new generation and writes its snapshot. When that fails, the snapshot is owed, and written
// later with what there is then.
func (k *keeper) snapshot() {
	if k.owed == 0 && !k.rotate() {
		return
	}
	began := time.Now()
	w := snapshotWriter{fs: k.cfg.FS, dir: k.cfg.Dir, generation: k.owed}
	if err := w.write(k.index, k.stopped); err == errStopped {
		return
	} else if err != nil {
		if k.room.giveUp(err) {
			return // it is tried again with the room that there is now
		}
		k.notBefore = time.Now().Add(snapshotRetry)
		k.cfg.Logger.Error("the snapshot cannot be written, the journal grows on", "error", err, "retry_in", snapshotRetry)
		return
	}
	k.syncer.folder.base.Store(k.owed)
	removeOld(k.cfg.FS, k.cfg.Dir, k.owed)
	k.cfg.Logger.Info("snapshot written", "file", snapshotName(k.cfg.Dir, k.owed), "records", w.records, "bytes", w.size, "took", time.Since(began))
	k.journals, k.bytes, k.owed = 1, 0, 0
}

// rotate asks the syncer for a new generation.
func (k *keeper) rotate() (ok bool) {
	reply := make(rotation, 1)
	select {
	case <-k.stop:
		return false
	case k.syncer.rotations <- reply:
	}
	r := <-reply
	if r.generation == 0 {
		k.notBefore = time.Now().Add(snapshotRetry)
		return false
	}
	k.journals++
	k.bytes += r.bytes
	k.owed = r.generation
	return true
}

func (k *keeper) stopped() error {
	select {
	case <-k.stop:
		return errStopped
	default:
		return nil
	}
}
