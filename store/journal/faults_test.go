package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// failing makes every operation whose name has one of the prefixes fail.
func failing(err error, prefixes ...string) func(int, string) error {
	return func(_ int, what string) error {
		for _, p := range prefixes {
			if strings.HasPrefix(what, p) {
				return err
			}
		}
		return nil
	}
}

// badDisks are ways in which a disk fails, and is repaired.
var badDisks = map[string]struct {
	fail, repair func(*memFS)
	logSays      string
}{
	"write": {func(m *memFS) { m.set(failing(errIO, "write")) }, func(m *memFS) { m.set(nil) }, errIO.Error()},
	"sync":  {func(m *memFS) { m.set(failing(errIO, "sync")) }, func(m *memFS) { m.set(nil) }, errIO.Error()},
	"all":   {func(m *memFS) { m.set(failing(errIO, "")) }, func(m *memFS) { m.set(nil) }, errIO.Error()},
	"full":  {func(m *memFS) { m.setRoom(100) }, func(m *memFS) { m.setRoom(-1) }, errFull.Error()},
}

// TestBadDisk: a change that cannot be written is refused and leaves no trace; queries go on.
func TestBadDisk(t *testing.T) {
	t.Run("RG-040", func(t *testing.T) {
		for name, disk := range badDisks {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMemFS()
					j := mustOpen(t, Config{FS: m})
					must(t, set(j, "bob@h", 1))
					disk.fail(m)
					for i := range 3 {
						for _, aor := range []string{"bob@h", "eve@h"} {
							if err := set(j, aor, 2+i); !errors.Is(err, location.ErrUnavailable) {
								t.Errorf("a change that cannot be written: %v", err)
							}
						}
						wantCSeq(t, j, "bob@h", 1)
						wantCSeq(t, j, "eve@h", 0)
						time.Sleep(retryEvery)
					}
					if st := j.Stats(); st.AORs != 1 || st.Bindings != 1 || st.Pending != 0 {
						t.Errorf("%+v", st)
					}
					seen := uint32(0)
					err := siptest.UpdateLocation(j, epoch, "bob@h", func(r *location.Record) bool {
						seen = r.Bindings[0].Writer.CSeq
						return false
					})
					if err != nil || seen != 1 {
						t.Errorf("a query meanwhile: CSeq %d, %v", seen, err)
					}
				})
			})
		}
	})
}

// TestRecovery: when the disk can be written again, so can the store, and nothing that was refused has come back,
// neither then nor after a restart.
func TestRecovery(t *testing.T) {
	t.Run("T13", func(t *testing.T) {
		for name, disk := range badDisks {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { recovers(t, disk.fail, disk.repair, disk.logSays) })
			})
		}
	})
}

func recovers(t *testing.T, fail, repair func(*memFS), logSays string) {
	m := newMemFS()
	logger, log := testLogger()
	j := mustOpen(t, Config{FS: m, Logger: logger})
	must(t, set(j, "bob@h", 1))
	fail(m)
	for _, aor := range []string{"bob@h", "eve@h"} {
		if err := set(j, aor, 2); !errors.Is(err, location.ErrUnavailable) {
			t.Errorf("a change that cannot be written: %v", err)
		}
	}
	time.Sleep(5 * retryEvery)
	repair(m)
	time.Sleep(retryEvery + maxLinger)
	for i := 3; i < 10; i++ {
		if err := set(j, "bob@h", i); err != nil {
			t.Fatalf("a change after the disk was repaired: %v", err)
		}
		wantCSeq(t, j, "bob@h", i)
	}
	must(t, j.Close())
	for _, say := range []string{"level=ERROR", logSays, "location-00000001.journal", "level=WARN"} {
		if !strings.Contains(log.String(), say) {
			t.Errorf("the log does not say %q:\n%s", say, log)
		}
	}
	again := mustOpen(t, Config{FS: m})
	wantCSeq(t, again, "bob@h", 9)
	wantCSeq(t, again, "eve@h", 0)
}

// TestRecoveryKeepsWhatWasAcknowledged: without Sync a change is acknowledged before it is written, so that a disk
// that fails for a while must not lose it.
func TestRecoveryKeepsWhatWasAcknowledged(t *testing.T) {
	for _, durability := range []Durability{Interval, None} {
		t.Run("T13", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemFS()
				j := mustOpen(t, Config{FS: m, Durability: durability})
				must(t, set(j, "bob@h", 1))
				m.set(failing(errIO, "write", "sync"))
				must(t, set(j, "bob@h", 2))
				time.Sleep(3 * retryEvery)
				if err := set(j, "bob@h", 3); !errors.Is(err, location.ErrUnavailable) {
					t.Errorf("when it is known that the disk fails: %v", err)
				}
				wantCSeq(t, j, "bob@h", 2)
				m.set(nil)
				time.Sleep(2 * retryEvery)
				must(t, set(j, "eve@h", 1))
				must(t, j.Close())
				again := mustOpen(t, Config{FS: m})
				wantCSeq(t, again, "bob@h", 2)
				wantCSeq(t, again, "eve@h", 1)
			})
		})
	}
}

// TestRollbackIsOfAll: what waits behind a group that fails fails with it, and is undone before it.
func TestRollbackIsOfAll(t *testing.T) {
	t.Run("RG-040", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			synced := 0
			j := mustOpen(t, Config{FS: m, Synced: func() { synced++ }})
			must(t, set(j, "bob@h", 1))
			synctest.Wait()
			if synced != 1 {
				t.Errorf("Synced was called %d times for one group", synced)
			}
			// The sync of the first change fails when it has waited for the others to come behind it.
			reached, proceed := make(chan struct{}), make(chan struct{})
			m.set(func(_ int, what string) error {
				if strings.HasPrefix(what, "sync") {
					close(reached)
					m.fail = failing(errIO, "")
					m.mu.Unlock()
					<-proceed
					m.mu.Lock()
					return errIO
				}
				return nil
			})
			dones := make(chan error, 10)
			change := func(aor string, c location.Change) {
				if durable, err := j.Update(epoch, []byte(aor), c, siptest.LocationDone(dones)); durable || err != nil {
					t.Errorf("%s: %v, %v", aor, durable, err)
				}
			}
			to := func(n int) location.Change {
				return siptest.LocationChange(func(r *location.Record) bool {
					b := siptest.LocationBinding(epoch, n)
					b.Writer.CSeq = uint32(n)
					r.Bindings = append(r.Bindings[:0], b)
					return true
				})
			}
			change("bob@h", to(2))
			<-reached
			change("bob@h", to(3))
			change("eve@h", to(1))
			change("bob@h", siptest.LocationChange(func(r *location.Record) bool {
				if got := r.Bindings[0].Writer.CSeq; got != 3 {
					t.Errorf("the next change starts from CSeq %d", got)
				}
				return false
			}))
			change("eve@h", to(2))
			wantCSeq(t, j, "bob@h", 1) // not 2 or 3: nothing is shown that may not last
			close(proceed)
			for range 5 {
				if err := <-dones; !errors.Is(err, location.ErrUnavailable) {
					t.Errorf("Done: %v", err)
				}
			}
			synctest.Wait()
			if len(dones) != 0 || synced != 2 {
				t.Errorf("%d Dones more, Synced was called %d times", len(dones), synced)
			}
			wantCSeq(t, j, "bob@h", 1)
			wantCSeq(t, j, "eve@h", 0)
			m.set(nil)
			time.Sleep(2 * retryEvery)
			if err := set(j, "eve@h", 4); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestUnchangedWaits: the answer to a retransmission is not sent before that to the request would be.
func TestUnchangedWaits(t *testing.T) {
	t.Run("RG-058", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			j := mustOpen(t, Config{FS: m})
			proceed := make(chan struct{})
			m.set(func(_ int, what string) error {
				if strings.HasPrefix(what, "sync") {
					m.mu.Unlock()
					<-proceed
					m.mu.Lock()
				}
				return nil
			})
			first, second, third := make(siptest.LocationDone, 1), make(siptest.LocationDone, 1), make(siptest.LocationDone, 1)
			add := siptest.LocationChange(func(r *location.Record) bool {
				if len(r.Bindings) > 0 {
					return false
				}
				r.Bindings = append(r.Bindings, siptest.LocationBinding(epoch, 1))
				return true
			})
			for _, done := range []siptest.LocationDone{first, second} {
				if durable, err := j.Update(epoch, []byte("bob@h"), add, done); durable || err != nil {
					t.Fatal(durable, err)
				}
				synctest.Wait()
			}
			if len(first) != 0 || len(second) != 0 {
				t.Error("Done before the sync")
			}
			if durable, err := j.Update(epoch, []byte("nobody@h"), siptest.LocationChange(func(*location.Record) bool { return false }), third); !durable || err != nil {
				t.Errorf("a query of another AOR waits: %v, %v", durable, err)
			}
			if st := j.Stats(); st.Pending != 2 {
				t.Errorf("%+v", st)
			}
			close(proceed)
			if err := errors.Join(<-first, <-second); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second) // until the last mark is there
			size := m.size("location-00000001.journal")
			if durable, err := j.Update(epoch, []byte("bob@h"), add, third); !durable || err != nil {
				t.Errorf("a retransmission after the sync: %v, %v", durable, err)
			}
			time.Sleep(time.Second)
			if got := m.size("location-00000001.journal"); got != size {
				t.Error("a retransmission was written")
			}
		})
	})
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		j := mustOpen(t, Config{FS: m, MaxPending: 2000})
		proceed := make(chan struct{})
		m.set(func(_ int, what string) error {
			if strings.HasPrefix(what, "sync") {
				m.mu.Unlock()
				<-proceed
				m.mu.Lock()
			}
			return nil
		})
		taken, refused := 0, 0
		dones := make(siptest.LocationDone, 100)
		for i := range 100 {
			durable, err := j.Update(epoch, fmt.Appendf(nil, "user%d@h", i), siptest.LocationChange(func(r *location.Record) bool {
				r.Bindings = append(r.Bindings, siptest.LocationBinding(epoch, i))
				return true
			}), dones)
			switch {
			case errors.Is(err, location.ErrOverload):
				refused++
			case err != nil || durable:
				t.Fatal(durable, err)
			default:
				taken++
			}
		}
		if taken < 4 || taken > 8 || refused != 100-taken {
			t.Errorf("%d changes were taken, %d refused", taken, refused)
		}
		close(proceed)
		for range taken {
			if err := <-dones; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait() // the last group is told before its room is given back
		if st := j.Stats(); st.AORs != taken {
			t.Errorf("%+v, %d were taken", st, taken)
		}
		if err := set(j, "late@h", 1); err != nil {
			t.Errorf("when the queue is empty again: %v", err)
		}
	})
}

// TestSnapshotsBoundTheJournal changes much in few AORs: the folder stays small, also when snapshots fail for a
// while.
func TestSnapshotsBoundTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		j := mustOpen(t, Config{FS: m, SnapshotBytes: 10_000})
		for i := 1; i <= 3000; i++ {
			if err := set(j, fmt.Sprintf("user%d@h", i%10), i); err != nil {
				t.Fatal(err)
			}
			switch i {
			case 1000:
				m.set(failing(errIO, "write location-00000005.snapshot", "create location-00000005.snapshot"))
			case 1500:
				m.set(nil)
				time.Sleep(2 * snapshotRetry)
			}
			if i%20 == 0 {
				time.Sleep(keepEvery)
			}
		}
		time.Sleep(2 * keepEvery)
		m.mu.Lock()
		bytes, files := 0, 0
		for _, f := range m.names {
			bytes += len(f.data)
			files++
		}
		m.mu.Unlock()
		if files > 4 || bytes > 20_000 { // with that which names the newest journal, and the reserve
			t.Errorf("%d files of %d bytes", files, bytes)
		}
		j.Close()
		again := mustOpen(t, Config{FS: m})
		for i := 2991; i <= 3000; i++ {
			wantCSeq(t, again, fmt.Sprintf("user%d@h", i%10), i)
		}
	})
}

// TestRecoveryMakesRoom: a recovery that goes no further than its snapshot leaves that one alone, so that one try
// after the other does not fill the disk, and what the snapshot made needless gives the journal its room.
func TestRecoveryMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemFS()
		j := mustOpen(t, Config{FS: m})
		must(t, set(j, "bob@h", 1))
		m.set(func(_ int, what string) error {
			if strings.HasSuffix(what, journalSuffix) && !strings.HasPrefix(what, "remove") {
				return errIO
			}
			return nil
		})
		if err := set(j, "bob@h", 2); !errors.Is(err, location.ErrUnavailable) {
			t.Errorf("a change that cannot be written: %v", err)
		}
		time.Sleep(5*retryEvery + maxLinger)
		names, _ := m.ReadDir(".")
		names = slices.DeleteFunc(names, func(name string) bool { return name == latestName })
		if len(names) != 1 || !strings.HasSuffix(names[0], snapshotSuffix) {
			t.Errorf("after 5 tries there are %v", names)
		}
		last := mustOpen(t, Config{FS: copyFS(m)})
		wantCSeq(t, last, "bob@h", 1)
		m.set(nil)
		time.Sleep(retryEvery + maxLinger)
		must(t, set(j, "bob@h", 3))
	})
}
