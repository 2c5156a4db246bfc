package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"biloxi/location"
)

// ErrCorrupt says that a file is damaged where it was known to be whole: what was acknowledged is lost, and Open
// does not go on as if it were not. The error that wraps it says which file, where, and what can be done.
var ErrCorrupt = errors.New("journal: damaged file")

const (
	journalRemedy  = "Restore the folder from a backup; or, to lose what was registered since, move this file, every journal with a higher number and " + latestName + " away, and start again"
	latestRemedy   = "Put it back, or restore the folder from a backup; or, to go on with what is there, without what was registered since, move " + latestName + " away, and start again"
	snapshotRemedy = "Restore the folder from a backup; or, to begin with nobody registered until the phones refresh, move every file " + prefix + "* away, and start again"
)

func corrupt(file string, offset int64, what, remedy string) error {
	return fmt.Errorf("%w: %s, byte %d: %s. %s", ErrCorrupt, file, offset, what, remedy)
}

// loader reads a data folder into an index, before anybody else uses it.
type loader struct {
	fs    FS
	dir   string
	index *location.Index
	now   time.Time
	log   *slog.Logger

	latest   latest // zero if it is not known
	snapshot uint64 // its generation, 0 if there is none
	failed   error  // of a disk that can be read and not written: what was read is all there is

	blocks       *blocks
	next         uint64 // the sequence number of the next record; 0 until a journal has said it
	generation   uint64 // the one to begin
	journals     int    // that were read
	journalBytes int64  // in them
}

// load reads the latest snapshot and the journals since, and removes what they have made needless.
func (l *loader) load() error {
	began := time.Now()
	if err := l.read(); err != nil {
		return err
	}
	l.next = max(l.next, 1)
	// Nor may the snapshot's name be durable, without which nothing before it is needless.
	if err := l.written(l.fs.SyncDir(l.dir)); err != nil {
		return err
	}
	if l.failed == nil {
		removeOld(l.fs, l.dir, l.snapshot)
	}
	if st := l.index.Stats(); st.AORs > 0 {
		l.log.Info("registrations read", "aors", st.AORs, "bindings", st.Bindings, "took", time.Since(began))
	}
	return nil
}

// written takes the error of a write. One of a disk that takes none is noted: what can be read is served all the same.
func (l *loader) written(err error) error {
	if mayPass(err) {
		l.failed = firstError(l.failed, err)
		return nil
	}
	return err
}

// read reads the latest snapshot and the journals since.
func (l *loader) read() error {
	journals, err := l.list()
	if err != nil {
		return err
	}
	if err := l.readLatest(); err != nil {
		return err
	}
	l.blocks = newBlocks(l.index, l.now, time.Duration(l.latest.ahead)*time.Millisecond)
	defer l.blocks.wait()
	if l.snapshot > 0 {
		if err := l.loadSnapshot(l.snapshot); err != nil {
			return err
		}
	}
	l.generation = max(l.snapshot, 1)
	for i, n := range journals {
		if n != l.generation {
			return corrupt(journalName(l.dir, l.generation), 0, "the file is missing", snapshotRemedy)
		}
		begun, err := l.loadJournal(n, journals[i+1:])
		if err != nil {
			return err
		}
		if begun {
			l.generation++
		}
	}
	return l.checkLatest(journals)
}

// readLatest reads what names the newest journal.
func (l *loader) readLatest() error {
	newest, ok, there, err := readLatest(l.fs, l.dir)
	switch {
	case err != nil:
		return err
	case there && !ok:
		l.log.Warn("the file that names the newest journal is damaged: that no later journal is missing cannot be checked",
			"file", filepath.Join(l.dir, latestName))
	case ok && newest.generation >= l.snapshot:
		l.latest = newest // one of before the snapshot tells nothing
	}
	return nil
}

// checkLatest sees that the newest journal that was begun has been read, and as much of it as is known.
func (l *loader) checkLatest(journals []uint64) error {
	n := l.latest.generation
	name := journalName(l.dir, n)
	switch {
	case n == 0:
		return nil
	case !slices.Contains(journals, n):
		return corrupt(name, 0, "the file is missing, and was the newest journal", latestRemedy)
	case l.next < l.latest.next:
		return corrupt(name, 0, fmt.Sprintf("it ends before record %d, and up to %d all were acknowledged", l.next, l.latest.next-1), latestRemedy)
	}
	return nil
}

// list finds the latest snapshot, and returns the journals since, in order.
func (l *loader) list() (journals []uint64, err error) {
	names, err := l.fs.ReadDir(l.dir)
	for _, name := range names {
		switch n, suffix, ok := parseName(name); {
		case !ok:
		case suffix == snapshotSuffix:
			l.snapshot = max(l.snapshot, n)
		case suffix == journalSuffix:
			journals = append(journals, n)
		default:
			l.fs.Remove(filepath.Join(l.dir, name)) // a snapshot that was not finished
		}
	}
	slices.Sort(journals)
	return slices.DeleteFunc(journals, func(n uint64) bool { return n < l.snapshot }), err
}

// loadSnapshot reads a snapshot, which is whole or damaged: it got its name when all of it was durable.
func (l *loader) loadSnapshot(generation uint64) error {
	name := snapshotName(l.dir, generation)
	r, err := openReader(l.fs, name, l.blocks)
	if err != nil {
		return err
	}
	defer r.close()
	h, ok := r.header()
	if !ok || h.magic != snapshotMagic || h.generation != generation {
		return firstError(r.err, corrupt(name, 0, "this is no snapshot of this version", snapshotRemedy))
	}
	for n := uint64(1); ; n++ {
		at := r.offset
		rec, ok := r.record()
		if !ok || rec.seq != n {
			return firstError(r.err, corrupt(name, at, "a record cannot be read", snapshotRemedy))
		}
		if rec.kind == endKind {
			if count, ok := rec.number(); !ok || count != n-1 {
				return corrupt(name, at, "the number of records is wrong", snapshotRemedy)
			}
			return nil
		}
		if !loadState(r, rec) {
			return corrupt(name, at, "a record has no meaning", snapshotRemedy)
		}
	}
}

// loadState has the index take the state that a record of r holds; !ok if it has no meaning.
func loadState(r *reader, rec record) (ok bool) {
	aor, state, ok := rec.state()
	return ok && rec.kind == stateKind && r.block.batch.Add(aor, state) == nil
}

// loadJournal reads a journal, after which come those of later generations. It is not begun if a crash left it without
// a header: then it is to be begun again.
func (l *loader) loadJournal(generation uint64, after []uint64) (begun bool, err error) {
	name := journalName(l.dir, generation)
	r, err := openReader(l.fs, name, l.blocks)
	if err != nil {
		return false, err
	}
	defer r.close()
	h, ok := r.header()
	empty, last, newest := r.atEnd(), len(after) == 0, generation == l.latest.generation
	switch {
	case r.err != nil:
		return false, r.err
	case !ok && empty && newest:
		return false, corrupt(name, 0, "it is empty, and was begun", latestRemedy)
	case !ok && empty && last:
		return false, nil // the header is synced before anything is written after it
	case !ok || h.magic != journalMagic || h.generation != generation:
		return false, corrupt(name, 0, "this is no journal of this version", journalRemedy)
	case newest && h.salt != l.latest.salt && !empty:
		return false, corrupt(name, 0, "it is another one than the newest journal, of the same number", latestRemedy)
	case l.next == 0:
		l.next = h.first
	case h.first < l.next && empty:
		return true, nil // the one before could not be left, and went on
	case h.first != l.next:
		return false, corrupt(name, 0, fmt.Sprintf("it begins with record %d, but %d comes next", h.first, l.next), journalRemedy)
	}
	if err := l.readRecords(r, h.salt, after); err != nil {
		return false, err
	}
	// A process that was killed may have left here what it had not synced. From now on it is shown and answered
	// for, and the next journal says that it is durable.
	if err := l.written(r.file.Sync()); err != nil {
		return false, err
	}
	l.journals++
	l.journalBytes += r.offset
	return true, nil
}

// readRecords reads the records of a journal up to its end, or to a torn tail, which it cuts.
func (l *loader) readRecords(r *reader, salt uint64, after []uint64) error {
	for !r.atEnd() {
		at := r.offset
		rec, ok := r.record()
		switch {
		case ok && rec.seq == l.next && rec.kind == markKind:
		case ok && rec.seq == l.next && loadState(r, rec):
			l.next++
		default:
			return l.cut(r, at, salt, after)
		}
	}
	return r.err
}

// cut ends a journal at a record that cannot be read, unless a mark behind it, or a later journal, says that the
// record was synced.
func (l *loader) cut(r *reader, at int64, salt uint64, after []uint64) error {
	rest := r.rest()
	if r.err != nil {
		return r.err
	}
	synced := lastMark(rest, salt)
	if l.latest.generation > 0 {
		synced = max(synced, l.latest.next-1)
	}
	for _, n := range after {
		h, ok, err := readHeader(l.fs, journalName(l.dir, n))
		if err != nil {
			return err
		}
		if ok {
			synced = max(synced, h.first-1)
		}
	}
	if synced >= l.next {
		return corrupt(r.name, at, fmt.Sprintf("record %d cannot be read, and up to %d all were acknowledged", l.next, synced), journalRemedy)
	}
	bytes := r.offset + int64(len(rest)) - at
	r.offset = at
	if err := l.written(r.file.Truncate(at)); err != nil {
		return err
	}
	l.log.Warn("the journal ends in what cannot be read, and this end is removed: a write that a crash cut short, of which nobody was told, or damage to the last registrations before the crash, which then are missing until the phones register again",
		"file", r.name, "offset", at, "bytes", bytes, "after_record", l.next-1)
	return nil
}
