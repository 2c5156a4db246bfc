//go:build unix

package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// osFS is the operating system's file system.
type osFS struct{}

const (
	fileMode = 0o600 // what is registered is nobody else's business
	dirMode  = 0o700
)

func (osFS) MkdirAll(dir string) error { return os.MkdirAll(dir, dirMode) }

func (osFS) ReadDir(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (osFS) Open(name string) (File, error) {
	f, err := openAny(name, os.O_RDWR)
	return osFile{f}, err
}

// openAny opens a file for writing, or only for reading if its file system takes no writes.
func openAny(name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(name, flags, fileMode)
	if errors.Is(err, syscall.EROFS) {
		if f, opened := os.Open(name); opened == nil {
			return f, nil
		}
	}
	return f, err
}

func (osFS) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	return osFile{f}, err
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

func (osFS) Remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (osFS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (osFS) Lock(name string) (Held, error) {
	f, err := openAny(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err = flock(f); err == nil {
		// Who holds it, for the message of the next one. Not more than a help: errors are of no matter.
		f.Truncate(0)
		fmt.Fprintf(f, "%d\n", os.Getpid())
		return osHeld{f, name}, nil
	}
	defer f.Close()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &fs.PathError{Op: "flock", Path: name, Err: err}
	}
	pid, _ := io.ReadAll(io.LimitReader(f, 20))
	return nil, fmt.Errorf("%w: process %s holds %s", ErrLocked, strings.TrimSpace(string(pid)), name)
}

// flock locks f. It waits a moment for a process that was killed just now: the system keeps its locks until
// it has taken its memory apart, which for a million bindings is some tenths of a second.
func flock(f *os.File) error {
	for waited := time.Duration(0); ; waited += lockPoll {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || waited >= lockPatience {
			return err
		}
		time.Sleep(lockPoll)
	}
}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Truncate(size int64) error {
	err := f.File.Truncate(size)
	if errors.Is(err, syscall.EINVAL) {
		return &fs.PathError{Op: "truncate", Path: f.Name(), Err: syscall.EROFS} // it is open for reading alone
	}
	return err
}

func (osFS) Hold(name string) (Held, error) {
	f, err := os.Open(name)
	return osHeld{f, name}, err
}

// osHeld is held by its descriptor: the system gives its number to no other file.
type osHeld struct {
	*os.File
	path string
}

func (h osHeld) Same() bool {
	mine, err := h.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(h.path)
	return err == nil && os.SameFile(mine, named)
}

func (osFS) Reserve(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	if err = firstError(allocate(f, size), f.Close()); err != nil {
		os.Remove(name)
	}
	return err
}
