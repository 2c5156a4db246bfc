package journal

import (
	"errors"
	"path/filepath"
	"sync/atomic"
)

var (
	errFolder = errors.New("the data folder was removed, or another one is in its place: put it back; or restart the server, which then goes on with what is there")
	errLock   = errors.New("the lock of the data folder was removed, or is not had")
	errFile   = errors.New("a file of the data folder was removed or replaced")
)

// folder is the data folder, held, so that it is noticed when its name leads elsewhere. The syncer owns it.
type folder struct {
	fs   FS
	dir  string
	held Held
	lock Held          // nil: not had yet, on a disk that takes no writes
	base atomic.Uint64 // the generation of the snapshot that the journals follow; 0: none
}

// take makes the folder if it is not there, and locks it. On a disk that takes no writes the lock may be missing: it
// is taken before anything is written.
func (f *folder) take() (err error) {
	if err := f.fs.MkdirAll(f.dir); err != nil {
		return err
	}
	// A folder that was made just now is lost in a power loss unless its parent is synced. That may be somebody
	// else's folder, which we may not open; then it has been there before.
	_ = f.fs.SyncDir(filepath.Dir(filepath.Clean(f.dir)))
	if f.held, err = f.fs.Hold(f.dir); err != nil {
		return err
	}
	if f.lock, err = f.fs.Lock(filepath.Join(f.dir, lockName)); err != nil {
		f.lock = nil
	}
	if mayPass(err) {
		return nil
	}
	return err
}

// check says what has become of the folder: nil if it is the one that was opened, with its files.
func (f *folder) check(newest uint64) error {
	if !f.held.Same() {
		return errFolder
	}
	if f.lock == nil || !f.lock.Same() {
		return errLock
	}
	names, err := f.fs.ReadDir(f.dir)
	if err != nil {
		return err
	}
	base, found := f.base.Load(), uint64(0)
	snapshot := base == 0
	for _, name := range names {
		switch n, suffix, ok := parseName(name); {
		case !ok:
		case suffix == snapshotSuffix:
			snapshot = snapshot || n >= base
		case suffix == journalSuffix && n >= base && n <= newest:
			found++
		}
	}
	if base = f.base.Load(); !snapshot || found < newest-max(base, 1)+1 {
		return errFile
	}
	return nil
}

// regain takes the lock again if it was lost, in the folder that was opened.
func (f *folder) regain() error {
	if !f.held.Same() {
		return errFolder
	}
	if f.lock != nil && f.lock.Same() {
		return nil
	}
	lock, err := f.fs.Lock(filepath.Join(f.dir, lockName))
	if err != nil {
		return err
	}
	if f.lock != nil {
		f.lock.Close()
	}
	f.lock = lock
	return nil
}

func (f *folder) close() {
	if f.lock != nil {
		f.lock.Close()
	}
	if f.held != nil {
		f.held.Close()
	}
}
