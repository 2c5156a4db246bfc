package journal

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestPowerLossAfterKill: a kill leaves changes in the operating system's memory that no disk has. The next
// process shows them, answers for them and builds on them, so that a power loss after its start must find them.
func TestPowerLossAfterKill(t *testing.T) {
	t.Run("T12", func(t *testing.T) {
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemFS()
				killed := mustOpen(t, Config{FS: m, Durability: None})
				must(t, set(killed, "bob@h", 1))
				time.Sleep(2 * unsyncedLinger) // it is written, and not synced
				left := copyFS(m)

				next := mustOpen(t, Config{FS: left})
				wantCSeq(t, next, "bob@h", 1)
				must(t, set(next, "eve@h", 2))
				last := mustOpen(t, Config{FS: left.powerLoss(rand.New(rand.NewPCG(1, seed)))})
				wantCSeq(t, last, "bob@h", 1)
				wantCSeq(t, last, "eve@h", 2)
			})
		}
	})
}
