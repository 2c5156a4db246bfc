package server

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"

	"biloxi/store/journal"
)

// errDisk is what a disk that fails gives.
var errDisk = errors.New("input/output error")

// disk is the system's file system, which can be made to fail, or to take its time.
type disk struct {
	mu      sync.Mutex
	failing bool
	gate    chan struct{} // syncs wait until it is closed; nil: they do not
	waiting chan struct{} // takes a token of each sync that waits, while there is room
}

var _ journal.FS = (*disk)(nil)

// fail makes all writes fail from now on, or has them succeed.
func (d *disk) fail(failing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = failing
}

// hold makes syncs wait until open is called. waiting has a token when one does.
func (d *disk) hold(t *testing.T) (waiting <-chan struct{}, open func()) {
	gate := make(chan struct{})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gate, d.waiting = gate, make(chan struct{}, 1)
	open = sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.gate = nil
		close(gate)
	})
	t.Cleanup(open)
	return d.waiting, open
}

func (d *disk) err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failing {
		return errDisk
	}
	return nil
}

// pass waits for the gate.
func (d *disk) pass() {
	d.mu.Lock()
	gate, waiting := d.gate, d.waiting
	d.mu.Unlock()
	if gate == nil {
		return
	}
	select {
	case waiting <- struct{}{}:
	default:
	}
	<-gate
}

func (d *disk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (d *disk) ReadDir(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (d *disk) Open(name string) (journal.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	return &diskFile{f, d}, err
}

func (d *disk) Create(name string) (journal.File, error) {
	if err := d.err(); err != nil {
		return nil, err
	}
	f, err := os.Create(name)
	return &diskFile{f, d}, err
}

func (d *disk) Rename(from, to string) error { return errors.Join(d.err(), os.Rename(from, to)) }

func (d *disk) Remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *disk) SyncDir(string) error { return d.err() }

// Lock locks nothing: each test has a folder of its own.
func (d *disk) Lock(string) (journal.Held, error) { return held{}, nil }

func (d *disk) Hold(string) (journal.Held, error) { return held{}, nil }

func (d *disk) Reserve(string, int64) error { return nil }

// held is what nothing happens to.
type held struct{}

func (held) Close() error { return nil }
func (held) Same() bool   { return true }

// diskFile is a file of a disk. What it syncs is not synced: no power is lost here.
type diskFile struct {
	*os.File
	disk *disk
}

func (f *diskFile) Write(b []byte) (int, error) {
	if err := f.disk.err(); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *diskFile) Sync() error {
	f.disk.pass()
	return f.disk.err()
}
