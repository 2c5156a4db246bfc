package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// refuses says what Open says of a folder that it must not go on with.
func refuses(t *testing.T, m *memFS, says ...string) {
	t.Helper()
	j, err := Open(Config{FS: m, Now: func() time.Time { return epoch }})
	if err == nil {
		j.Close()
	}
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("Open: %v", err)
		return
	}
	for _, say := range says {
		if !strings.Contains(err.Error(), say) {
			t.Errorf("the error does not say %q: %v", say, err)
		}
	}
}

// TestLatest: the newest journal is missed when it is gone, whatever has become of it, after a kill as after an end in
// order.
func TestLatest(t *testing.T) {
	killed, closed := written(t)
	for how, m := range map[string]*memFS{"after a kill": killed, "after an end in order": closed} {
		for name, damage := range map[string]func(*memFS){
			"is deleted":                func(m *memFS) { delete(m.names, theLastJournal) },
			"is renamed":                func(m *memFS) { m.Rename(theLastJournal, theLastJournal+".old") },
			"has the number before":     func(m *memFS) { m.Rename(theLastJournal, theFirst) },
			"has the next number":       func(m *memFS) { m.Rename(theLastJournal, "location-00000004.journal") },
			"is empty":                  func(m *memFS) { m.names[theLastJournal].data = nil },
			"has half a header":         func(m *memFS) { m.names[theLastJournal].data = m.names[theLastJournal].data[:20] },
			"is gone with all journals": func(m *memFS) { delete(m.names, theLastJournal); delete(m.names, theFirst) },
			"is gone with all the rest": func(m *memFS) {
				for name := range m.names {
					if name != latestName {
						delete(m.names, name)
					}
				}
			},
			"is another one": func(m *memFS) {
				h, _ := parseHeader(m.names[theLastJournal].data)
				h.salt++
				copy(m.names[theLastJournal].data, h.append(nil))
			},
		} {
			t.Run("R4 the newest journal "+name+" "+how, func(t *testing.T) {
				m := copyFS(m)
				damage(m)
				refuses(t, m, "location-0000000", "backup")
			})
		}
	}
	t.Run("R4 an older snapshot is no state", func(t *testing.T) {
		old := copyFS(killed)
		m := copyFS(killed)
		synctest.Test(t, func(t *testing.T) {
			j := mustOpen(t, Config{FS: m, SnapshotBytes: 1})
			must(t, set(j, "late@h", 1))
			time.Sleep(2 * keepEvery)
			must(t, j.Close())
		})
		for _, name := range []string{theSnapshot, theFirst, theLastJournal} {
			m.names[name] = old.names[name]
		}
		j := mustOpen(t, Config{FS: copyFS(m)}) // beside what is newer they do no harm
		wantCSeq(t, j, "late@h", 1)
		for name := range m.names {
			if n, _, ok := parseName(name); ok && n > 3 {
				delete(m.names, name)
			}
		}
		refuses(t, m, "is missing", latestName)
	})
	t.Run("R4 the end of a journal that was closed is missing", func(t *testing.T) {
		size := len(closed.names[theLastJournal].data)
		for cut := 1; cut < 600 && cut <= size-headerSize; cut++ {
			m := copyFS(closed)
			f := m.names[theLastJournal]
			f.data = f.data[:size-cut]
			if cut > markSize {
				refuses(t, m, theLastJournal)
				continue
			}
			j := mustOpen(t, Config{FS: m})
			if n := whole(t, j); n != 9 {
				t.Errorf("cut by %d bytes: %d AORs", cut, n)
			}
			must(t, j.Close())
		}
	})
	t.Run("R4 the remedy", func(t *testing.T) {
		m := copyFS(killed)
		delete(m.names, theLastJournal)
		delete(m.names, latestName)
		if n := whole(t, mustOpen(t, Config{FS: m})); n != 6 {
			t.Errorf("%d AORs", n)
		}
	})
	t.Run("R4 what names the newest journal is damaged", func(t *testing.T) {
		for at := range killed.names[latestName].data {
			m := copyFS(killed)
			m.names[latestName].data[at] ^= 1
			logger, log := testLogger()
			if n := whole(t, mustOpen(t, Config{FS: m, Logger: logger})); n != 9 {
				t.Errorf("%d AORs", n)
			}
			if at < latestSize-4 && !strings.Contains(log.String(), latestName) {
				t.Errorf("byte %d changed: %s", at, log)
			}
		}
	})
}

// TestIdleMark: what was acknowledged a moment before a crash is not taken for what the crash cut short.
func TestIdleMark(t *testing.T) {
	for _, durability := range []Durability{Sync, Interval} {
		t.Run("R4 a flipped bit in the last bytes after a crash is damage", func(t *testing.T) {
			m := newMemFS()
			synctest.Test(t, func(t *testing.T) {
				j := mustOpen(t, Config{FS: m, Durability: durability})
				for i := range 3 {
					must(t, set(j, fmt.Sprintf("user%d@h", i+1), i+1))
				}
				time.Sleep(2*idleMark + 2*time.Second)
				synctest.Wait()
				m = copyFS(m)
			})
			const name = "location-00000001.journal"
			size := len(m.names[name].data)
			for at := headerSize; at < size; at++ {
				m := copyFS(m)
				m.names[name].data[at] ^= 0x10
				j, err := Open(Config{FS: m, Now: func() time.Time { return epoch }})
				if err == nil {
					if n := whole3(j); n != 3 {
						t.Errorf("byte %d of %d: %d AORs are there", at, size, n)
					}
					j.Close()
				}
				if at < size-markSize != errors.Is(err, ErrCorrupt) {
					t.Errorf("byte %d of %d: %v", at, size, err)
				}
			}
		})
	}
	t.Run("R4 one mark is enough", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			j := mustOpen(t, Config{FS: m})
			must(t, set(j, "bob@h", 1))
			time.Sleep(time.Second)
			size := m.size("location-00000001.journal")
			time.Sleep(time.Hour)
			if got := m.size("location-00000001.journal"); got != size {
				t.Errorf("an idle journal grows by %d bytes", got-size)
			}
			must(t, j.Close())
			if got := m.size("location-00000001.journal"); got != size {
				t.Errorf("the end of an idle journal has %d bytes", got-size)
			}
		})
	})
}

func whole3(j *Journal) (n int) {
	for i := 1; i <= 3; i++ {
		if cseq(j, fmt.Sprintf("user%d@h", i)) == i {
			n++
		}
	}
	return n
}

// TestLatestNeverLies: a power loss at any moment, of starts, rotations, snapshots and disks that fail, leaves a folder
// that opens, with all that was acknowledged.
func TestLatestNeverLies(t *testing.T) {
	t.Run("R4 no power loss is taken for damage", func(t *testing.T) {
		for seed := range uint64(60) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 4))
				m := newMemFS()
				acknowledged := 0
				for life := range 6 {
					j, err := Open(Config{FS: m, SnapshotBytes: 1, Now: func() time.Time { return epoch }})
					if err != nil {
						t.Fatalf("seed %d, life %d: %v", seed, life, err)
					}
					if got := cseq(j, "bob@h"); got < acknowledged {
						t.Fatalf("seed %d, life %d: CSeq %d, %d was acknowledged", seed, life, got, acknowledged)
					}
					lives(j, m, random, &acknowledged)
					after := m.powerLoss(random)
					m.set(nil)
					j.Close()
					m = after
				}
			})
		}
	})
}

// lives makes changes while now and then one operation of the disk fails.
func lives(j *Journal, m *memFS, random *rand.Rand, acknowledged *int) {
	next := max(*acknowledged, cseq(j, "bob@h"))
	for range 1 + random.IntN(8) {
		at := m.operations() + random.IntN(12)
		m.set(func(op int, what string) error {
			if op == at && !strings.HasPrefix(what, "remove") {
				return errIO
			}
			return nil
		})
		next++
		if set(j, "bob@h", next) == nil {
			*acknowledged = next
		}
		time.Sleep([]time.Duration{0, time.Millisecond, idleMark, keepEvery, 2 * keepEvery}[random.IntN(5)])
	}
}

func (m *memFS) size(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.names[name].data)
}

func (m *memFS) operations() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// TestTailWarns: what is removed of a journal stands in the log, loud, with file, place and size.
func TestTailWarns(t *testing.T) {
	t.Run("R4 a torn tail is a warning", func(t *testing.T) {
		killed, _ := written(t)
		f := killed.names[theLastJournal]
		f.data[len(f.data)-20] ^= 1
		logger, log := testLogger()
		mustOpen(t, Config{FS: killed, Logger: logger})
		lines := strings.Split(log.String(), "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "level=WARN") })
		if i < 0 || !strings.Contains(lines[i], theLastJournal) || !strings.Contains(lines[i], "bytes=") || !strings.Contains(lines[i], "offset=") {
			t.Errorf("the log says\n%s", log)
		}
	})
}
