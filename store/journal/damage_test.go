package journal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// written returns a folder with a snapshot and two journals behind it, in which user1 to user9 have CSeq 1 to 9,
// without and with the last mark.
func written(t *testing.T) (killed, closed *memFS) {
	t.Helper()
	closed = newMemFS()
	synctest.Test(t, func(t *testing.T) {
		j := mustOpen(t, Config{FS: closed, SnapshotBytes: 1})
		for n := range 9 { // thrice, so that it is time for a snapshot
			must(t, set(j, fmt.Sprintf("user%d@h", 1+n%3), 1+n%3))
		}
		time.Sleep(keepEvery)
		synctest.Wait()
		j.keeper.cfg.SnapshotBytes = 1 << 20
		for i := 4; i <= 6; i++ {
			must(t, set(j, fmt.Sprintf("user%d@h", i), i))
		}
		must(t, j.Close())
		j = mustOpen(t, Config{FS: closed})
		for i := 7; i <= 9; i++ {
			must(t, set(j, fmt.Sprintf("user%d@h", i), i))
		}
		killed = copyFS(closed)
		must(t, j.Close())
	})
	return killed, closed
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func copyFS(m *memFS) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	copied := newMemFS()
	for name, f := range m.names {
		copied.names[name] = &memFile{data: append([]byte(nil), f.data...), synced: append([]byte(nil), f.synced...)}
	}
	for name := range m.durable {
		if f := copied.names[name]; f != nil {
			copied.durable[name] = f
		}
	}
	return copied
}

const (
	theSnapshot    = "location-00000002.snapshot"
	theFirst       = "location-00000002.journal"
	theLastJournal = "location-00000003.journal"
)

// whole is how many of the AORs are there with their CSeq; the others must not be there at all, nor any behind.
func whole(t *testing.T, j *Journal) (n int) {
	t.Helper()
	for i := 1; i <= 9; i++ {
		switch got := cseq(j, fmt.Sprintf("user%d@h", i)); {
		case got == i && n == i-1:
			n = i
		case got != 0:
			t.Errorf("user%d has CSeq %d, and the last before is user%d", i, got, n)
		}
	}
	return n
}

// TestTornTail cuts the last journal at every byte, as a crash does that left no mark: what is before is kept.
func TestTornTail(t *testing.T) {
	killed, _ := written(t)
	synctest.Test(t, func(t *testing.T) { cutsTail(t, killed) })
}

func cutsTail(t *testing.T, killed *memFS) {
	size := len(killed.names[theLastJournal].data)
	before := 6
	for cut := range size {
		m := copyFS(killed)
		f := m.names[theLastJournal]
		f.data = f.data[:cut]
		logger, log := testLogger()
		j, err := Open(Config{FS: m, Logger: logger, Now: func() time.Time { return epoch }})
		if cut < headerSize && errors.Is(err, ErrCorrupt) && strings.Contains(err.Error(), latestName) {
			continue // its header was on disk before anything was acknowledged
		}
		if err != nil || cut < headerSize {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		n := whole(t, j)
		if n < before || n > 9 {
			t.Errorf("cut at %d: %d AORs, %d with a byte less", cut, n, before)
		}
		before = n
		if torn := strings.Contains(log.String(), "level=WARN msg=\"the journal ends"); torn != (int64(len(f.data)) < int64(cut)) {
			t.Errorf("cut at %d, %d bytes are left; the log says: %s", cut, len(f.data), log)
		} else if say := fmt.Sprintf("bytes=%d", cut-len(f.data)); torn && !strings.Contains(log.String(), say) {
			t.Errorf("the log does not say %s: %s", say, log)
		}
		must(t, set(j, "new@h", 1))
		must(t, j.Close())
		j = mustOpen(t, Config{FS: m})
		wantCSeq(t, j, "new@h", 1)
		if again := whole(t, j); again != n {
			t.Errorf("cut at %d: %d AORs at first and %d later", cut, n, again)
		}
		j.Close()
	}
	if before != 8 {
		t.Errorf("with the last byte missing %d AORs are there", before)
	}
}

// stride visits every byte at the beginning and at the end of a file, and some in between.
func stride(at, size int) int {
	if at < 400 || size-at < 100 {
		return 1
	}
	return 7
}

// TestDamage changes single bytes of a folder that was closed in order. Open refuses to go on, or nothing
// of what was acknowledged is missing.
func TestDamage(t *testing.T) {
	_, closed := written(t)
	synctest.Test(t, func(t *testing.T) { damages(t, closed) })
}

func damages(t *testing.T, closed *memFS) {
	for name, f := range closed.names {
		if _, _, ok := parseName(name); !ok {
			continue
		}
		accepted := 0
		for at := 0; at < len(f.data); at += stride(at, len(f.data)) {
			m := copyFS(closed)
			m.names[name].data[at] ^= 0x40
			j, err := Open(Config{FS: m, Now: func() time.Time { return epoch }})
			if err == nil {
				if n := whole(t, j); n != 9 {
					t.Fatalf("%s with byte %d changed was read, with %d AORs of 9", name, at, n)
				}
				j.Close()
				accepted++
				continue
			}
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), name+", byte ") || !strings.Contains(err.Error(), "backup") {
				t.Fatalf("byte %d of %s: %v", at, name, err)
			}
			if again := copyFS(m); len(again.names) != len(closed.names) {
				t.Fatalf("the folder was changed")
			}
		}
		if accepted > 2*markSize {
			t.Errorf("%s: %d bytes of %d can be changed unnoticed", name, accepted, len(f.data))
		}
	}
}

// TestBrokenMiddle: a record that cannot be read, with acknowledged ones behind it, is no torn tail, also after a
// crash.
func TestBrokenMiddle(t *testing.T) {
	killed, _ := written(t)
	for _, test := range []struct {
		file string
		at   int
	}{{theSnapshot, 100}, {theFirst, 100}, {theLastJournal, 100}} {
		m := copyFS(killed)
		m.names[test.file].data[test.at]++
		_, err := Open(Config{FS: m})
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), test.file) {
			t.Errorf("%s: %v", test.file, err)
		}
	}
	for _, file := range []string{theSnapshot, theFirst} {
		m := copyFS(killed)
		delete(m.names, file)
		if _, err := Open(Config{FS: m}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("without %s: %v", file, err)
		}
	}
}

// TestRemedy does what the error of a damaged journal advises.
func TestRemedy(t *testing.T) {
	killed, _ := written(t)
	m := copyFS(killed)
	m.names[theLastJournal].data[100]++
	if _, err := Open(Config{FS: m}); !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	delete(m.names, theLastJournal)
	delete(m.names, latestName)
	j := mustOpen(t, Config{FS: m})
	if n := whole(t, j); n != 6 {
		t.Errorf("%d AORs", n)
	}
}

// TestLargeRecords: records that are larger than what is read at once are read, cut and refused like any.
func TestLargeRecords(t *testing.T) {
	m := newMemFS()
	j := mustOpen(t, Config{FS: m})
	grow := func(r *location.Record) bool {
		b := siptest.LocationBinding(epoch, 1)
		b.Path = make([]byte, 3*firstBlock)
		r.Bindings = append(r.Bindings, b)
		return len(r.Bindings) < 3
	}
	for i := 1; i <= 2; i++ {
		must(t, set(j, fmt.Sprintf("user%d@h", i), i))
		must(t, siptest.UpdateLocation(j, epoch, fmt.Sprintf("large%d@h", i), grow))
	}
	killed := copyFS(m)
	must(t, j.Close())
	for cut, want := range map[int]int{0: 2, 1: 1, 3*firstBlock - 100: 1, 3*firstBlock + 10_000: 0} {
		m := copyFS(killed)
		f := m.names["location-00000001.journal"]
		f.data = f.data[:len(f.data)-cut]
		j := mustOpen(t, Config{FS: m})
		large := 0
		for i := 1; i <= 2; i++ {
			var r location.Record
			if _, ok := j.View(epoch, fmt.Appendf(nil, "large%d@h", i), &r, nil); ok && len(r.Bindings[0].Path) == 3*firstBlock {
				large++
			}
		}
		if large != want {
			t.Errorf("cut by %d bytes: %d large records, want %d", cut, large, want)
		}
		must(t, j.Close())
	}
	killed.names["location-00000001.journal"].data[2*firstBlock]++
	if _, err := Open(Config{FS: killed}); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a large record with one byte changed: %v", err)
	}
}
