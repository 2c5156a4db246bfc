package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"biloxi/location"
	"biloxi/siptest"
)

func TestMain(m *testing.M) {
	if childMain() {
		return
	}
	goleak.VerifyTestMain(m)
}

func TestConformance(t *testing.T) {
	for name, cfg := range map[string]Config{
		"sync":     {},
		"interval": {Durability: Interval, Interval: 5 * time.Millisecond},
		"none":     {Durability: None},
		"memory":   {FS: newMemFS()},
	} {
		t.Run(name, func(t *testing.T) {
			siptest.TestLocationStore(t, func(t *testing.T) location.Store {
				cfg := cfg
				cfg.Dir = t.TempDir()
				cfg.Now = func() time.Time { return epoch }
				return mustOpen(t, cfg)
			})
		})
	}
}

var epoch = time.Unix(1_800_000_000, 0)

func mustOpen(t *testing.T, cfg Config) *Journal {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return epoch }
	}
	j, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// set gives the AOR one binding with that CSeq, and waits until it is durable or has failed.
func set(j *Journal, aor string, cseq int) error {
	return siptest.UpdateLocation(j, epoch, aor, func(r *location.Record) bool {
		b := siptest.LocationBinding(epoch, cseq)
		b.Writer.CSeq = uint32(cseq)
		r.Bindings = append(r.Bindings[:0], b)
		return true
	})
}

// cseq returns the CSeq of the AOR's binding, 0 if there is none.
func cseq(j *Journal, aor string) int {
	var r location.Record
	if _, ok := j.View(epoch, []byte(aor), &r, nil); !ok {
		return 0
	}
	return int(r.Bindings[0].Writer.CSeq)
}

func wantCSeq(t *testing.T, j *Journal, aor string, want int) {
	t.Helper()
	if got := cseq(j, aor); got != want {
		t.Errorf("%s has CSeq %d, want %d", aor, got, want)
	}
}

func TestRestart(t *testing.T) {
	for _, durability := range []Durability{Sync, Interval, None} {
		t.Run("RG-039", func(t *testing.T) {
			cfg := Config{Dir: t.TempDir(), Durability: durability}
			var tombs location.Record
			for start := 1; start <= maxJournals+4; start++ {
				j := mustOpen(t, cfg)
				for i := 1; i < start; i++ {
					wantCSeq(t, j, fmt.Sprintf("user%d@h", i), i)
				}
				if start > 1 {
					wantCSeq(t, j, "bob@h", start-1)
				}
				err := siptest.UpdateLocation(j, epoch, "gone@h", func(r *location.Record) bool {
					if start == 1 {
						b := siptest.LocationBinding(epoch, 1)
						b.Removed = true
						r.Bindings = append(r.Bindings, b)
					}
					tombs.Bindings = append(tombs.Bindings[:0], r.Bindings...)
					return start == 1
				})
				if err != nil || len(tombs.Bindings) != 1 || !tombs.Bindings[0].Removed {
					t.Errorf("start %d: the tombstone has become %+v, %v", start, tombs.Bindings, err)
				}
				if err := errors.Join(set(j, fmt.Sprintf("user%d@h", start), start), set(j, "bob@h", start)); err != nil {
					t.Fatal(err)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestRestartDropsWhatExpired(t *testing.T) {
	cfg := Config{FS: newMemFS()}
	j := mustOpen(t, cfg)
	if err := set(j, "bob@h", 1); err != nil {
		t.Fatal(err)
	}
	j.Close()
	cfg.Now = func() time.Time { return epoch.Add(2 * time.Hour) }
	j = mustOpen(t, cfg)
	if st := j.Stats(); st.AORs != 0 || st.Records != 0 {
		t.Errorf("%+v", st)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	locked := 0
	cfg := Config{Dir: dir, Locked: func() { locked++ }}
	j := mustOpen(t, cfg)
	_, err := Open(cfg)
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("a second server: %v", err)
	}
	if locked != 1 {
		t.Errorf("told %d times that the folder is its own", locked)
	}
	for _, part := range []string{dir, fmt.Sprint(os.Getpid()), "another server"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	j.Close()
	mustOpen(t, Config{Dir: dir})
}

func TestFolderCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: filepath.Join(file, "data")}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a folder under a file: %v", err)
	}
	m := newMemFS()
	m.set(failing(fs.ErrPermission, "create"))
	if _, err := Open(Config{FS: m}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder that is not ours: %v", err)
	}
	m.set(nil)
	mustOpen(t, Config{FS: m}) // the lock is not left behind
}

// testLogger returns a logger, and what it has logged.
func testLogger() (*slog.Logger, *logged) {
	var l logged
	return slog.New(slog.NewTextHandler(&l, nil)), &l
}

// logged is what was logged so far, by any goroutine.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
