package journal

import (
	"biloxi/location"
)

// snapshotWriter writes the state of all AORs to the snapshot of a generation, while they go on changing: the
// journal of that generation, which has begun, has what changes meanwhile.
type snapshotWriter struct {
	fs         FS
	dir        string
	generation uint64

	file     File
	buf      []byte
	records  uint64
	unsynced int
	size     int64
}

// write writes the snapshot under a temporary name and renames it when it is durable. A stop that returns an
// error ends it with that error; nil never does.
func (w *snapshotWriter) write(x *location.Index, stop func() error) (err error) {
	name := temporaryName(w.dir, w.generation)
	if w.file, err = w.fs.Create(name); err != nil {
		return err
	}
	err = firstError(w.fill(x, stop), w.file.Close())
	if err == nil {
		err = w.fs.Rename(name, snapshotName(w.dir, w.generation))
	}
	if err != nil {
		w.fs.Remove(name)
		return err
	}
	return w.fs.SyncDir(w.dir)
}

func (w *snapshotWriter) fill(x *location.Index, stop func() error) error {
	h := header{magic: snapshotMagic, generation: w.generation, first: 1}
	w.buf = h.append(w.buf[:0])
	err := x.Walk(func(aor, state []byte) error {
		w.records++
		w.buf = appendState(w.buf, w.records, aor, state)
		if len(w.buf) < snapshotChunk {
			return nil
		}
		if stop != nil {
			if err := stop(); err != nil {
				return err
			}
		}
		return w.flush()
	})
	if err != nil {
		return err
	}
	w.buf = appendEnd(w.buf, w.records)
	if err := w.flush(); err != nil {
		return err
	}
	return w.file.Sync()
}

func (w *snapshotWriter) flush() error {
	if _, err := w.file.Write(w.buf); err != nil {
		return err
	}
	w.size += int64(len(w.buf))
	w.unsynced += len(w.buf)
	w.buf = w.buf[:0]
	if w.unsynced < snapshotSync {
		return nil
	}
	w.unsynced = 0
	return w.file.Sync()
}

// removeOld removes what the snapshot of a generation has made needless. What cannot be removed now is removed by
// the next one, or by the next start.
func removeOld(fs FS, dir string, generation uint64) {
	names, _ := fs.ReadDir(dir)
	for _, name := range names {
		n, suffix, ok := parseName(name)
		if ok && n < generation {
			fs.Remove(fullName(dir, n, suffix))
		}
	}
}
