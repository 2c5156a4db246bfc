package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/store/sqlite"
	"biloxi/subscriber"
)

func TestStore(t *testing.T) {
	siptest.TestSubscriberStore(t, func(t *testing.T) subscriber.Store {
		s := open(t, filepath.Join(t.TempDir(), "subscribers.db"))
		s.SetImport(700, 30)
		return s
	})
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bob(domain string) subscriber.Subscriber {
	return siptest.NewSubscriber("bob", domain, 1<<sip.MD5)
}

func put(t *testing.T, s *sqlite.Store, sub subscriber.Subscriber) {
	t.Helper()
	if err := s.Put(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
}

func TestReopen(t *testing.T) {
	// What a path may hold that has a meaning in a URI.
	path := filepath.Join(t.TempDir(), "a b?c#d%41&e=ü.db")
	s := open(t, path)
	put(t, s, bob("a.example"))
	// A second one beside it sees the change, and its own are seen.
	beside := open(t, path)
	if _, err := beside.Find(t.Context(), "bob", "a.example"); err != nil {
		t.Error(err)
	}
	put(t, beside, bob("b.example"))
	if _, err := s.Find(t.Context(), "bob", "b.example"); err != nil {
		t.Error(err)
	}
	for _, s := range []*sqlite.Store{s, beside} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	s = open(t, path)
	defer s.Close()
	if page, _, err := s.List(t.Context(), "", 10); err != nil || len(page) != 2 {
		t.Errorf("%d after opening again, %v", len(page), err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestMode(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "subscribers.db")
	check := func(when string) {
		t.Helper()
		files, err := os.ReadDir(dir)
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s has mode %v, %v", when, f.Name(), info.Mode(), err)
			}
		}
	}
	s := open(t, path)
	put(t, s, bob("a.example"))
	check("made")
	s.Close()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	defer s.Close()
	put(t, s, bob("a.example"))
	check("found with mode 0644")
}

func TestNoPasswordInFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "subscribers.db"))
	defer s.Close()
	file := "bob@a.example,zanzibar-zanzibar\nalice@a.example,\"wonder,land\"\n"
	if n, err := s.Import(t.Context(), importFile.Read(strings.NewReader(file))); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	got, err := s.Find(t.Context(), "bob", "a.example")
	if want := importFile.Hash("bob", "a.example", "zanzibar-zanzibar"); err != nil || got.HA1s != want || want.Has == 0 {
		t.Errorf("%v, %v", got, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("zanzibar")) || bytes.Contains(b, []byte("wonder")) {
			t.Errorf("%s has a password in it", name)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	open(t, newer).Close()
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for name, tt := range map[string]struct{ path, want string }{
		"no folder":      {filepath.Join(dir, "none", "s.db"), "no such file or directory"},
		"a folder":       {dir, "not a file"},
		"file as folder": {filepath.Join(write("file", ""), "s.db"), "not a directory"},
		"read only":      {"/proc/version", ""}, // also for root
		"no database":    {write("text", strings.Repeat("Call me Ishmael. ", 100)), "not a database"},
		"newer":          {newer, "newer biloxi"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlite.Open(tt.path)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			text := err.Error()
			if !strings.HasPrefix(text, "subscribers: ") || !strings.Contains(text, tt.path) || !strings.Contains(text, tt.want) || strings.Contains(text, "\n") {
				t.Errorf("%q, want one line with %q and %q", text, tt.path, tt.want)
			}
		})
	}
}

const helperPath = "BILOXI_TEST_SQLITE"

// TestProcesses has several processes make, migrate and change one file at once.
func TestProcesses(t *testing.T) {
	const processes, each = 3, 20
	if path := os.Getenv(helperPath); path != "" {
		s := open(t, path)
		defer s.Close()
		for i := range each {
			put(t, s, siptest.NewSubscriber(fmt.Sprintf("user%d-%d", os.Getpid(), i), "a.example", 1<<sip.MD5))
		}
		if err := s.Add(t.Context(), bob("a.example")); err != nil && !errors.Is(err, subscriber.ErrExists) {
			t.Error(err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "subscribers.db")
	var started []*exec.Cmd
	for range processes {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcesses$")
		cmd.Env = append(os.Environ(), helperPath+"="+path)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, cmd)
	}
	for _, cmd := range started {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, cmd.Stdout)
		}
	}
	s := open(t, path)
	defer s.Close()
	if page, _, err := s.List(t.Context(), "", 1000); err != nil || len(page) != processes*each+1 {
		t.Errorf("%d stored, %v, want %d", len(page), err, processes*each+1)
	}
}
