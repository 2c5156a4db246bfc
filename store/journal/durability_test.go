package journal

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLinger: a change that comes alone is synced at once; one that comes while the disk is busy waits for others as
// long as a sync takes, and no longer than a millisecond.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		j := mustOpen(t, Config{FS: m})
		for _, sync := range []time.Duration{100 * time.Microsecond, 10 * time.Millisecond} {
			m.set(func(_ int, what string) error {
				if strings.HasPrefix(what, "sync ") {
					m.mu.Unlock() // or who waits for it would keep the time from going on
					time.Sleep(sync)
					m.mu.Lock()
				}
				return nil
			})
			took := func() time.Duration {
				began := time.Now()
				must(t, set(j, "bob@h", 1))
				return time.Since(began)
			}
			time.Sleep(time.Second)
			if got := took(); got != sync {
				t.Errorf("a sync takes %v, a change alone %v", sync, got)
			}
			if got, want := took(), sync+min(sync, maxLinger); got != want {
				t.Errorf("a sync takes %v, a change right behind another %v, want %v", sync, got, want)
			}
		}
	})
}

// TestIntervalIsKept: with Interval a power loss takes no more than the last interval, with None a kill no more than
// the last moment.
func TestIntervalIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		j := mustOpen(t, Config{FS: m, Durability: Interval, Interval: 3 * time.Second})
		for i := 1; i <= 20; i++ {
			must(t, set(j, "bob@h", i))
			time.Sleep(time.Second)
			for seed := range uint64(3) {
				after := mustOpen(t, Config{FS: m.powerLoss(rand.New(rand.NewPCG(uint64(i), seed)))})
				if got := cseq(after, "bob@h"); got < i-3 || got > i {
					t.Errorf("a second after change %d the power loss leaves change %d", i, got)
				}
				must(t, after.Close())
			}
		}
		n := mustOpen(t, Config{FS: m, Dir: "none", Durability: None})
		must(t, set(n, "bob@h", 5))
		time.Sleep(2 * unsyncedLinger)
		after := mustOpen(t, Config{FS: copyFS(m), Dir: "none"})
		wantCSeq(t, after, "bob@h", 5)
	})
}
