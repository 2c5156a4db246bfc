package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// file is a database file that is open.
type file struct {
	path string // as the store was given it
	db   *sql.DB
	kept *sql.Conn   // as long as a connection is open, SQLite lets what is written ahead lie where it is
	id   fs.FileInfo // of the file that was opened
	log  fs.FileInfo // of what is written ahead beside it; nil if that was not there
	copy string      // the folder of a copy, which is open instead of the file; empty: it is the file itself
	why  error       // there is a copy

	add, put, remove, find, list *sql.Stmt
}

// openFile opens the file at path; on a disk that takes no writes, a copy of it elsewhere, for reading.
func openFile(path string) (*file, error) {
	f, err := openAt(path)
	if err == nil || !mayBeMended(err) {
		return f, err
	}
	dir, copied := copyAway(path)
	if copied != nil {
		return nil, err
	}
	f, failed := openAt(filepath.Join(dir, filepath.Base(path)))
	if failed != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	f.path, f.copy, f.why = path, dir, err
	return f, nil
}

func openAt(path string) (*file, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dataSource(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db.SetMaxOpenConns(maxConns + 1)
	db.SetMaxIdleConns(maxConns + 1)
	f := &file{path: path, db: db}
	if err = migrate(context.Background(), db); err == nil {
		err = f.prepare(context.Background())
	}
	if err == nil {
		f.kept, err = db.Conn(context.Background())
	}
	if err == nil {
		f.id, err = os.Stat(path)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.log, _ = os.Stat(path + "-wal")
	return f, nil
}

func (f *file) close() error {
	err := errors.Join(f.kept.Close(), f.db.Close())
	if f.copy != "" {
		err = errors.Join(err, os.RemoveAll(f.copy))
	}
	return err
}

// check says why what is written would not be found again: nil if it would.
func (f *file) check() error {
	if f.copy != "" {
		return fmt.Errorf("%s cannot be written: %w", f.path, f.why)
	}
	if now, err := os.Stat(f.path); err != nil || !os.SameFile(now, f.id) {
		return fmt.Errorf("%s was removed, or another file is in its place: put it back; or restart the server, which then goes on with what is there", f.path)
	}
	if f.log == nil {
		return nil
	}
	if now, err := os.Stat(f.path + "-wal"); err != nil || !os.SameFile(now, f.log) {
		return fmt.Errorf("%s-wal was removed or replaced while it was in use: restart the server", f.path)
	}
	return nil
}

// mayBeMended reports whether an error is of a disk that is full, fails, or takes no writes.
func mayBeMended(err error) bool {
	for _, of := range [...]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, of) {
			return true
		}
	}
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // without the extended code
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// copyAway copies the file, and what was written ahead beside it, to a new folder on another disk.
func copyAway(path string) (dir string, err error) {
	for _, parent := range [...]string{os.TempDir(), memoryDisk} {
		if dir, err = os.MkdirTemp(parent, "biloxi-*"); err != nil {
			continue
		}
		if err = errors.Join(copyFile(dir, path), copyFile(dir, path+"-wal")); err == nil {
			return dir, nil
		}
		os.RemoveAll(dir)
	}
	return "", err
}

// copyFile copies a file into a folder. One that is not there is not copied.
func copyFile(dir, path string) error {
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, filepath.Base(path)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}
