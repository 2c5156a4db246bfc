package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"biloxi/store/sqlite"
	"biloxi/subscriber"
)

// smallDisk mounts a file system of so many bytes in memory, which only root can.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("small", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fill takes all room, and returns the file that has it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := 1 << 20; block > 0; {
		if _, err := f.Write(make([]byte, block)); err != nil {
			block /= 2
		}
	}
	return f.Name()
}

// killed copies the files as a kill leaves them: what was written ahead is not in the database yet.
func killed(t *testing.T, from, to string) {
	t.Helper()
	for _, end := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+end, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "subscribers.db")
	first := open(t, elsewhere)
	put(t, first, bob("a.example"))
	put(t, first, bob("b.example"))
	defer first.Close()
	// cannot fails the test unless nothing can be changed, and says so, and all is read.
	cannot := func(t *testing.T, s *sqlite.Store, path, says string) {
		t.Helper()
		for range 2 {
			if err := s.Check(); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), says) {
				t.Errorf("Check: %v", err)
			}
			if err := s.Add(t.Context(), bob("c.example")); err == nil {
				t.Error("a subscriber is added")
			}
			if n := all(t, s); n != 2 {
				t.Errorf("%d subscribers", n)
			}
		}
	}
	can := func(t *testing.T, s *sqlite.Store, path string) {
		t.Helper()
		put(t, s, bob("c.example"))
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		s.Close()
		s = open(t, path)
		defer s.Close()
		if n := all(t, s); n != 3 {
			t.Errorf("%d subscribers", n)
		}
	}
	t.Run("R1 subscribers are read from a full disk", func(t *testing.T) {
		dir := smallDisk(t, 2<<20)
		path := filepath.Join(dir, "subscribers.db")
		killed(t, elsewhere, path)
		big := fill(t, dir)
		s := open(t, path)
		cannot(t, s, path, "")
		if err := os.Remove(big); err != nil {
			t.Fatal(err)
		}
		can(t, s, path)
	})
	t.Run("R1 subscribers are read from a disk that takes no writes", func(t *testing.T) {
		dir := smallDisk(t, 2<<20)
		path := filepath.Join(dir, "subscribers.db")
		killed(t, elsewhere, path)
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skip(err)
		}
		s := open(t, path)
		cannot(t, s, path, "read-only")
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""); err != nil {
			t.Fatal(err)
		}
		can(t, s, path)
	})
	t.Run("R1 a disk that fills while the file is open", func(t *testing.T) {
		dir := smallDisk(t, 2<<20)
		s := open(t, filepath.Join(dir, "subscribers.db"))
		defer s.Close()
		put(t, s, bob("a.example"))
		big := fill(t, dir)
		stored := 1
		var err error
		for ; err == nil && stored < 10_000; stored++ {
			err = s.Add(t.Context(), bob(fmt.Sprintf("d%d.example", stored)))
		}
		stored--
		if err == nil || !strings.Contains(err.Error(), "full") {
			t.Errorf("%v", err)
		}
		if n := all(t, s); n != stored {
			t.Errorf("%d subscribers, %d were stored", n, stored)
		}
		if err := os.Remove(big); err != nil {
			t.Fatal(err)
		}
		put(t, s, bob("last.example"))
		if n := all(t, s); n != stored+1 {
			t.Errorf("%d subscribers, %d were stored", n, stored+1)
		}
	})
	t.Run("R1 an import that fills the disk", func(t *testing.T) {
		dir := smallDisk(t, 1<<20)
		s := open(t, filepath.Join(dir, "subscribers.db"))
		defer s.Close()
		n, err := s.Import(t.Context(), func(yield func(subscriber.Subscriber, error) bool) {
			for i := range 100_000 {
				if !yield(bob(fmt.Sprintf("d%d.example", i)), nil) {
					return
				}
			}
		})
		if err == nil || all(t, s) != n {
			t.Errorf("%d are imported, %d are there: %v", n, all(t, s), err)
		}
	})
}
