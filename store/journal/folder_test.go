package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
)

// onFolder runs a test on a journal of a real folder, in virtual time. eve@h has CSeq 1.
func onFolder(t *testing.T, do func(t *testing.T, j *Journal, dir string, logged func() string)) {
	dir := filepath.Join(t.TempDir(), "location")
	synctest.Test(t, func(t *testing.T) {
		logger, log := testLogger()
		j := mustOpen(t, Config{Dir: dir, Logger: logger, SnapshotBytes: 1})
		must(t, set(j, "eve@h", 1))
		time.Sleep(5 * time.Second)
		if text := log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN") {
			t.Errorf("in good order the log says\n%s", text)
		}
		do(t, j, dir, func() string {
			synctest.Wait()
			return log.String()
		})
	})
}

// wantRefused sees that nothing is acknowledged, and that what was is still shown.
func wantRefused(t *testing.T, j *Journal) {
	t.Helper()
	if err := set(j, "eve@h", 99); !errors.Is(err, location.ErrUnavailable) {
		t.Errorf("a change: %v", err)
	}
	wantCSeq(t, j, "eve@h", 1)
}

func TestFolderGone(t *testing.T) {
	for name, test := range map[string]struct {
		leave func(dir string) error
		back  func(dir string) error // nil: only a restart helps
	}{
		"is moved away": {
			func(dir string) error { return os.Rename(dir, dir+".away") },
			func(dir string) error { return os.Rename(dir+".away", dir) },
		},
		"is moved away with its parent": {
			func(dir string) error { return os.Rename(filepath.Dir(dir), filepath.Dir(dir)+".away") },
			func(dir string) error { return os.Rename(filepath.Dir(dir)+".away", filepath.Dir(dir)) },
		},
		"is removed": {os.RemoveAll, nil},
		"is replaced by an empty one": {
			func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)) }, nil,
		},
		"is replaced by a copy": {
			func(dir string) error {
				return errors.Join(os.CopyFS(dir+".copy", os.DirFS(dir)), os.Rename(dir, dir+".away"), os.Rename(dir+".copy", dir))
			}, nil,
		},
	} {
		t.Run("§3 a data folder that "+name+" is noticed within a second", func(t *testing.T) {
			onFolder(t, func(t *testing.T, j *Journal, dir string, logged func() string) {
				must(t, test.leave(dir))
				time.Sleep(time.Second)
				if text := logged(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "data folder was removed") {
					t.Errorf("after a second the log says\n%s", text)
				}
				wantRefused(t, j)
				names, _ := os.ReadDir(dir)
				time.Sleep(time.Minute)
				wantRefused(t, j)
				if after, _ := os.ReadDir(dir); len(after) != len(names) {
					t.Errorf("another folder is written to: %v", after)
				}
				if test.back == nil {
					return
				}
				must(t, test.back(dir))
				time.Sleep(2 * time.Second)
				must(t, set(j, "eve@h", 2))
				must(t, j.Close())
				wantCSeq(t, mustOpen(t, Config{Dir: dir}), "eve@h", 2)
			})
		})
		t.Run("§3 a busy server on a data folder that "+name+" stops within a second", func(t *testing.T) {
			onFolder(t, func(t *testing.T, j *Journal, dir string, logged func() string) {
				must(t, set(j, "bob@h", 1))
				must(t, test.leave(dir))
				late := 0
				for began, i := time.Now(), 2; time.Since(began) < 2*time.Second; i++ {
					if set(j, "bob@h", i) == nil && time.Since(began) > time.Second {
						late++
					}
					time.Sleep(10 * time.Millisecond)
				}
				if late > 0 {
					t.Errorf("%d changes are acknowledged after a second", late)
				}
			})
		})
	}
}

// TestFilesGone: files that are removed from the folder are written anew, with all there is.
func TestFilesGone(t *testing.T) {
	for name, pattern := range map[string]string{
		"the journal": "*.journal", "the snapshot": "*.snapshot", "the lock": "*.lock", "everything": "*",
	} {
		t.Run("§3 when "+name+" is removed all is written again", func(t *testing.T) {
			onFolder(t, func(t *testing.T, j *Journal, dir string, logged func() string) {
				for range 9 { // so that it is time for a snapshot
					must(t, set(j, "bob@h", 4))
				}
				time.Sleep(3 * time.Second)
				names, _ := filepath.Glob(filepath.Join(dir, pattern))
				if len(names) == 0 {
					t.Fatal("there is none")
				}
				for _, name := range names {
					must(t, os.Remove(name))
				}
				time.Sleep(3 * time.Second)
				if text := logged(); !strings.Contains(text, "level=ERROR") {
					t.Errorf("the log says\n%s", text)
				}
				must(t, set(j, "new@h", 5))
				if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
					t.Errorf("a second server: %v", err)
				}
				must(t, j.Close())
				again := mustOpen(t, Config{Dir: dir})
				wantCSeq(t, again, "eve@h", 1)
				wantCSeq(t, again, "bob@h", 4)
				wantCSeq(t, again, "new@h", 5)
			})
		})
	}
	t.Run("§3 who loses the lock to another server writes no more", func(t *testing.T) {
		onFolder(t, func(t *testing.T, j *Journal, dir string, logged func() string) {
			must(t, os.Remove(filepath.Join(dir, lockName)))
			other, err := osFS{}.Lock(filepath.Join(dir, lockName))
			must(t, err)
			time.Sleep(3 * time.Second)
			wantRefused(t, j)
			must(t, other.Close())
			time.Sleep(2 * time.Second)
			must(t, set(j, "eve@h", 2))
		})
	})
	t.Run("§3 a journal that is replaced is not written to", func(t *testing.T) {
		onFolder(t, func(t *testing.T, j *Journal, dir string, logged func() string) {
			names, _ := filepath.Glob(filepath.Join(dir, "*.journal"))
			must(t, os.Rename(names[0], names[0]+".old"))
			must(t, os.WriteFile(names[0], nil, 0o600))
			time.Sleep(3 * time.Second)
			must(t, set(j, "eve@h", 2))
			must(t, j.Close())
			wantCSeq(t, mustOpen(t, Config{Dir: dir}), "eve@h", 2)
		})
	})
}
