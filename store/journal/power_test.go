package journal

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// history is what a client knows of each AOR: the last CSeq that was acknowledged, and the last that it sent.
type history struct{ acknowledged, sent map[string]int }

// work changes a few AORs for some seconds, with snapshots in between, until something fails.
func work(fs FS) (h history) {
	h = history{map[string]int{}, map[string]int{}}
	j, err := Open(Config{FS: fs, SnapshotBytes: 2000, Now: func() time.Time { return epoch }})
	if err != nil {
		return h
	}
	defer j.Close()
	for i := 1; i <= 50; i++ {
		aor := fmt.Sprintf("user%d@h", i%7)
		h.sent[aor] = i
		if set(j, aor, i) != nil {
			return h
		}
		h.acknowledged[aor] = i
		if i%10 == 0 {
			time.Sleep(keepEvery)
		}
	}
	return h
}

// check opens what a crash left, twice, and compares it with what the client knows.
func (h history) check(t *testing.T, fs *memFS) {
	t.Helper()
	for range 2 {
		j, err := Open(Config{FS: fs, Now: func() time.Time { return epoch }})
		if err != nil {
			t.Fatal(err)
		}
		for aor, sent := range h.sent {
			got := cseq(j, aor)
			if got < h.acknowledged[aor] || got > sent {
				t.Errorf("%s has CSeq %d; %d was acknowledged and %d the last", aor, got, h.acknowledged[aor], sent)
			}
			h.acknowledged[aor], h.sent[aor] = got, got
		}
		if err := set(j, "new@h", 1); err != nil {
			t.Error(err)
		}
		j.Close()
		h.acknowledged["new@h"], h.sent["new@h"] = 1, 1
	}
}

// TestPowerLoss cuts the power before every single operation on the disk, and looks at what is found afterwards,
// with what was not synced lost, kept or torn.
func TestPowerLoss(t *testing.T) {
	t.Run("T12", func(t *testing.T) {
		operations := 0
		for cut, over := 1, false; !over; cut++ {
			synctest.Test(t, func(t *testing.T) {
				m := newMemFS()
				over = true
				m.fail = func(op int, what string) error {
					if op < cut {
						return nil
					}
					over = false
					return errPower
				}
				h := work(m)
				m.set(nil)
				operations = m.ops
				for seed := range uint64(4) {
					h := history{copyMap(h.acknowledged), copyMap(h.sent)}
					h.check(t, m.powerLoss(rand.New(rand.NewPCG(uint64(cut), seed))))
				}
				h.check(t, m) // the process died, the operating system did not
			})
			if t.Failed() {
				t.Fatalf("when the power is cut before operation %d", cut)
			}
		}
		if operations < 100 {
			t.Errorf("only %d operations were tried", operations)
		}
	})
}

func copyMap(m map[string]int) map[string]int {
	copied := map[string]int{}
	for k, v := range m {
		copied[k] = v
	}
	return copied
}
