//go:build unix

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Share keeps a server from opening the folder until release is called; several may share one at a time. The
// error is ErrLocked if a server has it. A folder that no server has had yet is not kept, and release does nothing.
func Share(dir string) (release func(), err error) {
	name := filepath.Join(dir, lockName)
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return func() { f.Close() }, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrLocked
	}
	return nil, &fs.PathError{Op: "flock", Path: name, Err: err}
}
