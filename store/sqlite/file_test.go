package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"biloxi/store/sqlite"
	"biloxi/subscriber"
)

// all is how many subscribers are in the store.
func all(t *testing.T, s *sqlite.Store) (n int) {
	t.Helper()
	if err := s.All(t.Context(), func(subscriber.Subscriber) error { n++; return nil }); err != nil {
		t.Error(err)
	}
	return n
}

// TestFileGone: a change that would not be found again is no change.
func TestFileGone(t *testing.T) {
	for name, test := range map[string]struct {
		leave, back func(path string) error
	}{
		"is removed": {os.Remove, nil},
		"is removed, all of it": {func(path string) error {
			return errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		}, nil},
		"is moved": {
			func(path string) error { return os.Rename(path, path+".away") },
			func(path string) error { return os.Rename(path+".away", path) },
		},
		"is replaced by a backup": {func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".new", b, 0o600), os.Rename(path+".new", path))
		}, nil},
		"is moved with its folder": {
			func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".away") },
			func(path string) error { return os.Rename(filepath.Dir(path)+".away", filepath.Dir(path)) },
		},
		"has lost what was written ahead": {func(path string) error { return os.Remove(path + "-wal") }, nil},
	} {
		t.Run("§3 subscribers.db "+name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data", "subscribers.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			s := open(t, path)
			defer s.Close()
			put(t, s, bob("a.example"))
			if err := s.Check(); err != nil {
				t.Errorf("in good order: %v", err)
			}
			if err := test.leave(path); err != nil {
				t.Fatal(err)
			}
			imported := func(yield func(subscriber.Subscriber, error) bool) { yield(bob("c.example"), nil) }
			for name, do := range map[string]func() error{
				"Check":  s.Check,
				"Add":    func() error { return s.Add(t.Context(), bob("b.example")) },
				"Put":    func() error { return s.Put(t.Context(), bob("b.example")) },
				"Remove": func() error { return s.Remove(t.Context(), "bob", "a.example") },
				"Import": func() error { _, err := s.Import(t.Context(), imported); return err },
			} {
				if err := do(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restart") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if test.back == nil {
				return
			}
			if err := test.back(path); err != nil {
				t.Fatal(err)
			}
			if err := s.Check(); err != nil {
				t.Errorf("when it is back: %v", err)
			}
			put(t, s, bob("b.example"))
			if n := all(t, s); n != 2 {
				t.Errorf("%d subscribers", n)
			}
		})
	}
	t.Run("§3 a file that is much used is the same", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "subscribers.db")
		s := open(t, path)
		defer s.Close()
		for i := range 50 {
			put(t, s, bob(fmt.Sprintf("d%d.example", i)))
			beside := open(t, path)
			put(t, beside, bob(fmt.Sprintf("e%d.example", i)))
			beside.Close()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			s.All(ctx, func(subscriber.Subscriber) error { return nil })
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		if n := all(t, s); n != 100 {
			t.Errorf("%d subscribers", n)
		}
	})
}
