package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite"
)

// database is what Kamailio writes through to. The zero database is none.
type database struct {
	module  string
	url     string
	journal string // SQLite's file
	pid     int    // PostgreSQL's; 0 for others
	dir     string // of PostgreSQL
	server  *exec.Cmd
}

func (d *database) close() {
	if d.server != nil {
		_ = d.server.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = d.server.Wait()
		_ = os.RemoveAll(d.dir)
	}
}

// workers is how many processes Kamailio has for UDP. With SQLite it is one: it does not wait for another's
// lock, and refuses most registrations if there are two.
func (d *database) workers() string {
	if d.module == "db_sqlite" {
		return "1"
	}
	return "2"
}

// schemas are where Debian puts the tables' definitions.
const schemas = "/usr/share/kamailio"

// openDatabase makes a new one of a kind.
func (h *harness) openDatabase(ctx context.Context, kind, name string) (database, error) {
	switch kind {
	case "sqlite":
		return h.openSQLite(name)
	case "postgres":
		return h.openPostgres(ctx, name)
	}
	return database{}, nil
}

// schema reads the definitions of the location table.
func schema(kind string) (string, error) {
	var all strings.Builder
	for _, file := range []string{"standard-create.sql", "usrloc-create.sql"} {
		b, err := os.ReadFile(filepath.Join(schemas, kind, file))
		if err != nil {
			return "", fmt.Errorf("not installed: %w", err)
		}
		all.Write(b)
	}
	return all.String(), nil
}

func (h *harness) openSQLite(name string) (d database, err error) {
	text, err := schema("db_sqlite")
	if err != nil {
		return d, err
	}
	file := filepath.Join(h.dir, name+".sqlite")
	for _, old := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return d, err
		}
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return d, err
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA journal_mode=WAL;" + text); err != nil {
		return d, err
	}
	return database{module: "db_sqlite", url: "sqlite:///" + file, journal: file}, nil
}

const postgresPort = 5180

// openPostgres makes a cluster of its own, with PostgreSQL's default durability.
func (h *harness) openPostgres(ctx context.Context, name string) (d database, err error) {
	text, err := schema("postgres")
	if err != nil {
		return d, err
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return d, errors.New("not installed: postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	attr, err := asPostgres()
	if err != nil {
		return d, err
	}
	dir, err := os.MkdirTemp("", "biloxi-bench-postgres-")
	if err != nil {
		return d, err
	}
	if attr.Credential != nil {
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return d, err
		}
	}
	do := func(stdin string, args ...string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, args[0]), args[1:]...)
		cmd.SysProcAttr, cmd.Dir, cmd.Stdin = attr, dir, strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, bytes.TrimSpace(out))
		}
		return nil
	}
	data := filepath.Join(dir, "data")
	if err := do("", "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-instructions"); err != nil {
		return d, err
	}
	port := strconv.Itoa(postgresPort)
	d = database{module: "db_postgres", url: "postgres://postgres@127.0.0.1:" + port + "/kamailio", dir: dir}
	d.server = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", port, "-h", "127.0.0.1", "-k", dir)
	d.server.SysProcAttr, d.server.Dir = attr, dir
	if err := d.server.Start(); err != nil {
		return database{}, err
	}
	d.pid = d.server.Process.Pid
	psql := []string{"psql", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=1"}
	for range 100 {
		if err = do("", append(psql, "-c", "CREATE DATABASE kamailio")...); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err == nil {
		err = do(text, append(psql, "-d", "kamailio")...)
	}
	if err != nil {
		d.close()
		return database{}, err
	}
	return d, nil
}

// asPostgres is how root runs PostgreSQL, which refuses to be root.
func asPostgres() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}
