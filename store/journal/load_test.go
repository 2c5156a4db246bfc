package journal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// manyChanges makes so many changes, of a few hundred AORs, which it sets, changes and removes, and keeps the model
// in step. Nobody waits for one of them.
func manyChanges(t *testing.T, j *Journal, random *rand.Rand, changes int, model map[string]int) {
	var all sync.WaitGroup
	for i := range changes {
		aor := fmt.Sprintf("user%d@h", random.IntN(300))
		gone := random.IntN(10) == 0
		all.Add(1)
		durable, err := j.Update(epoch, []byte(aor), siptest.LocationChange(func(r *location.Record) bool {
			had := len(r.Bindings) > 0
			r.Bindings = r.Bindings[:0]
			if !gone {
				b := siptest.LocationBinding(epoch, 1)
				b.Writer.CSeq = uint32(i + 1)
				b.Path = make([]byte, random.IntN(500))
				r.Bindings = append(r.Bindings, b)
			}
			return had || !gone
		}), waitDone{&all})
		must(t, err)
		if durable {
			all.Done()
		}
		delete(model, aor)
		if !gone {
			model[aor] = i + 1
		}
	}
	all.Wait()
}

// states is the CSeq of each AOR of the store.
func states(t *testing.T, j *Journal) map[string]int {
	all := map[string]int{}
	for cursor, more := "", true; more; more = cursor != "" {
		var err error
		cursor, err = j.List(epoch, cursor, 0, func(aor []byte, r *location.Record) {
			all[string(aor)] = int(r.Bindings[0].Writer.CSeq)
		})
		must(t, err)
	}
	return all
}

// TestManyBlocks: files of more blocks than there are at a time, whose AORs are all in every block, are read in
// order, snapshot and journals, and are refused when a byte anywhere has changed.
func TestManyBlocks(t *testing.T) {
	const changes = 3 * maxBlocks * blockSize / 500 // of some 300 bytes
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		m, model := newMemFS(), map[string]int{}
		cfg := Config{FS: m, SnapshotBytes: 1 << 40, MaxPending: 1 << 30}
		reopen := func(from *Journal) *Journal {
			must(t, from.Close())
			next := mustOpen(t, cfg)
			if got, st := states(t, next), next.Stats(); !maps.Equal(got, model) || st.AORs != len(model) || st.Bindings != len(model) {
				t.Errorf("%d AORs (%+v), want %d, or others", len(got), st, len(model))
			}
			return next
		}
		j := mustOpen(t, cfg)
		manyChanges(t, j, random, changes, model)
		if size := len(m.names["location-00000001.journal"].data); size < (maxBlocks+1)*blockSize {
			t.Fatalf("the journal has no more than %d bytes", size)
		}
		cfg.SnapshotBytes = 1
		j = reopen(j)
		time.Sleep(2 * keepEvery)
		if names, _ := m.ReadDir(""); !slices.Contains(names, "location-00000003.snapshot") {
			t.Fatalf("no snapshot is written: %q", names)
		}
		cfg.SnapshotBytes = 1 << 40
		j = reopen(j)
		manyChanges(t, j, random, changes, model)
		must(t, j.Close())
		damaged := copyFS(m)
		must(t, reopen(j).Close())

		data := damaged.names["location-00000004.journal"].data
		for range 6 {
			at := random.IntN(len(data))
			data[at] ^= 4
			if j, err := Open(Config{FS: copyFS(damaged)}); !errors.Is(err, ErrCorrupt) {
				t.Errorf("byte %d of %d changed: %v", at, len(data), err)
				if err == nil {
					j.Close()
				}
			}
			data[at] ^= 4
		}
	})
}
