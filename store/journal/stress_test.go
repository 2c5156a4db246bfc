package journal

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// TestStress lets everything happen at once, with a disk that fails now and then: every change is told once, what
// was acknowledged is there, and what was refused is not.
func TestStress(t *testing.T) {
	m := newMemFS()
	now := func() time.Time { return epoch }
	j := mustOpen(t, Config{FS: m, SnapshotBytes: 50_000, Now: now})
	const writers, rounds = 8, 150
	stop := make(chan struct{})
	var writing, others sync.WaitGroup
	others.Go(func() {
		random := rand.New(rand.NewPCG(1, 1))
		for {
			select {
			case <-stop:
				m.set(nil)
				return
			case <-time.After(time.Duration(random.IntN(20)) * time.Millisecond):
			}
			m.set(failing(errIO, "sync"))
			j.keeper.index.Expire(epoch)
			time.Sleep(2 * time.Millisecond)
			m.set(nil)
		}
	})
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for cursor := ""; ; {
				next, err := j.List(epoch, cursor, 10, func(aor []byte, r *location.Record) {
					if len(r.Bindings) != 1 {
						t.Errorf("%s has %d bindings", aor, len(r.Bindings))
					}
				})
				if err != nil {
					t.Error(err)
				}
				if cursor = next; cursor == "" {
					break
				}
			}
			j.Stats()
		}
	})
	last := make([]map[string]int, writers)
	for w := range writers {
		last[w] = map[string]int{}
		writing.Go(func() {
			refused := 0
			for i := 1; i <= rounds; i++ {
				aor := fmt.Sprintf("user%d-%d@h", w, i%5)
				if err := set(j, aor, i); err == nil {
					last[w][aor] = i
				} else if refused++; refused%10 == 0 {
					time.Sleep(retryEvery / 4)
				}
				if got := cseq(j, aor); got != last[w][aor] {
					t.Errorf("%s has CSeq %d, the last acknowledged is %d", aor, got, last[w][aor])
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	others.Wait()
	if err := j.Close(); err != nil {
		t.Log(err) // it may have failed at last
	}
	again := mustOpen(t, Config{FS: m})
	for w := range writers {
		for aor, want := range last[w] {
			wantCSeq(t, again, aor, want)
		}
	}
}

// TestDoneIsToldOnce counts: as many Dones as changes that were taken, also when the store is closed under them.
func TestDoneIsToldOnce(t *testing.T) {
	j := mustOpen(t, Config{FS: newMemFS()})
	const writers = 8
	var all sync.WaitGroup
	dones := make(siptest.LocationDone, 100_000)
	taken := make([]int, writers)
	for w := range writers {
		all.Go(func() {
			for i := range 2000 {
				durable, err := j.Update(epoch, fmt.Appendf(nil, "user%d@h", i%50), siptest.LocationChange(func(r *location.Record) bool {
					b := siptest.LocationBinding(epoch, i)
					r.Bindings = append(r.Bindings[:0], b)
					return i%3 != 0
				}), dones)
				if err == nil && !durable {
					taken[w]++
				}
				if i == 1000 && w == 0 {
					j.Close()
				}
			}
		})
	}
	all.Wait()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	want := 0
	for _, n := range taken {
		want += n
	}
	if len(dones) != want {
		t.Errorf("%d Dones of %d changes", len(dones), want)
	}
	for range want {
		if err := <-dones; err != nil {
			t.Fatalf("Done: %v", err)
		}
	}
}
