package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	driver "modernc.org/sqlite" // it is also the driver "sqlite" of database/sql
	lib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the file, or makes it in a folder that is there. The error is one line that names the file.
//
// Where the disk is full, fails, or takes no writes, a copy of the file is opened elsewhere: what is there can be read,
// and Check says why nothing can be changed. Each change looks first whether the file can be opened again.
func Open(path string) (*Store, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	s := &Store{path: path, run: importRun, batch: importBatch}
	s.file.Store(f)
	return s, nil
}

// prepareFile makes the file with no rights for others, and takes such rights away. SQLite gives the files
// beside it the same mode. A file that is there is not opened here: to close it would drop the locks that
// another Store of this process has on it.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
	}
	for _, name := range []string{path, filepath.Dir(path)} {
		if err := unix.Access(name, unix.R_OK|unix.W_OK); err != nil {
			return fmt.Errorf("%s: cannot be written: %w", name, err)
		}
	}
	return nil
}

// dataSource is the URI of a file with what every connection to it has.
func dataSource(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	q := url.Values{
		"_busy_timeout": {strconv.FormatInt(busyTimeout.Milliseconds(), 10)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"}, // a transaction that reads first could not wait for the lock later
		"_dqs":          {"false"},
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// migrate brings the schema up to date. Two processes may do so at once: one of them fails, and finds the
// work done when it tries again.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		if _, err = p.Up(ctx); err == nil {
			break
		}
		if try == migrateTries || !mayPass(err) {
			return err
		}
		time.Sleep(migratePause)
	}
	current, target, err := p.GetVersions(ctx)
	if err == nil && current > target {
		err = fmt.Errorf("schema version %d is of a newer biloxi, this one knows %d", current, target)
	}
	return err
}

// mayPass tells errors that another process at the same work can cause: the file is busy, or what is to be
// made is there already, which SQLite has no code for.
func mayPass(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // without the extended code
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_ERROR:
		return true
	}
	return false
}
