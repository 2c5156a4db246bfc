package journal

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// steps are by how much a clock is set.
var steps = map[string]time.Duration{
	"an hour forward": time.Hour, "a day forward": 24 * time.Hour, "a year forward": 365 * 24 * time.Hour,
	"an hour back": -time.Hour, "a day back": -24 * time.Hour, "a year back": -365 * 24 * time.Hour,
}

// bound gives the AOR a binding of an hour, and a tombstone, at now.
func bound(t *testing.T, j *Journal, now time.Time, aor string) {
	t.Helper()
	must(t, siptest.UpdateLocation(j, now, aor, func(r *location.Record) bool {
		live, grave := siptest.LocationBinding(now, 1), siptest.LocationBinding(now, 2)
		grave.Removed, grave.Expires = true, now.Add(location.TombstoneLifetime).UnixMilli()
		r.Bindings = append(r.Bindings[:0], live, grave)
		return true
	}))
}

// left is how long the AOR's binding and its tombstone are still there, by now; negative if they are not.
func left(t *testing.T, j *Journal, now time.Time, aor string) (binding, tombstone time.Duration) {
	t.Helper()
	binding, tombstone = -1, -1
	must(t, siptest.UpdateLocation(j, now, aor, func(r *location.Record) bool {
		for _, b := range r.Bindings {
			if b.Removed {
				tombstone = time.UnixMilli(b.Expires).Sub(now)
			} else {
				binding = time.UnixMilli(b.Expires).Sub(now)
			}
		}
		return false
	}))
	return binding, tombstone
}

// TestClockIsSet: the wall clock is set while the server runs, and the server is killed, or ends, and starts by the
// wall clock. What is left of bindings and tombstones is what would be left.
func TestClockIsSet(t *testing.T) {
	for name, step := range steps {
		for _, killed := range []bool{true, false} {
			t.Run("§3 the clock is set "+name+" while it runs", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					var wall atomic.Int64
					steady := func() time.Time { return epoch.Add(time.Since(began)).Round(0) }
					clock := steady
					m := newMemFS()
					j := mustOpen(t, Config{FS: m, Now: steady, Wall: func() time.Time { return steady().Add(time.Duration(wall.Load())) }})
					bound(t, j, clock(), "bob@h")
					wall.Store(int64(step))
					time.Sleep(2 * time.Second)
					bound(t, j, clock(), "eve@h")
					time.Sleep(8 * time.Second)
					for range 3 { // the second finds what the first has made of it
						if killed {
							m = copyFS(m)
						} else {
							must(t, j.Close())
						}
						clock = func() time.Time { return epoch.Add(step + time.Since(began)).Round(0) }
						j = mustOpen(t, Config{FS: m, Now: clock})
						b, g := left(t, j, clock(), "bob@h")
						if want := time.Hour - 10*time.Second; b != want || g != 22*time.Second {
							t.Errorf("of bob %v and %v are left", b, g)
						}
						if b, g = left(t, j, clock(), "eve@h"); b != time.Hour-8*time.Second || g != 24*time.Second {
							t.Errorf("of eve %v and %v are left", b, g)
						}
					}
				})
			})
		}
	}
	t.Run("§3 the clock is set forward and back again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var wall atomic.Int64
			m := newMemFS()
			now := func() time.Time { return time.Now().Round(0) }
			j := mustOpen(t, Config{FS: m, Now: now, Wall: func() time.Time { return now().Add(time.Duration(wall.Load())) }})
			bound(t, j, now(), "bob@h")
			for _, step := range []time.Duration{24 * time.Hour, -24 * time.Hour, 0} {
				wall.Store(int64(step))
				time.Sleep(5 * time.Second)
			}
			j = mustOpen(t, Config{FS: copyFS(m), Now: now})
			if b, g := left(t, j, now(), "bob@h"); b != time.Hour-15*time.Second || g != 17*time.Second {
				t.Errorf("%v and %v are left", b, g)
			}
		})
	})
}

// TestClockOfStart: the clock is another one at the next start. Of one that was set back nothing lasts longer than it
// was granted; of one that was set forward nobody can tell whether so much time has passed.
func TestClockOfStart(t *testing.T) {
	for name, step := range steps {
		t.Run("§3 the clock is "+name+" at the next start", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemFS()
				j := mustOpen(t, Config{FS: m})
				bound(t, j, epoch, "bob@h")
				must(t, j.Close())
				for range 3 {
					now := epoch.Add(step)
					j = mustOpen(t, Config{FS: m, Now: func() time.Time { return now }})
					b, g := left(t, j, now, "bob@h")
					if step < 0 && (b != time.Hour || g != location.TombstoneLifetime) {
						t.Errorf("%v and %v are left", b, g)
					}
					if step > 0 && (b != -1 || g != -1) {
						t.Errorf("%v and %v are left", b, g)
					}
					must(t, j.Close())
				}
				if step > 0 {
					return
				}
				now := epoch.Add(step + 33*time.Second)
				j = mustOpen(t, Config{FS: m, Now: func() time.Time { return now }})
				if b, g := left(t, j, now, "bob@h"); b != time.Hour-33*time.Second || g != -1 {
					t.Errorf("33 s later %v and %v are left", b, g)
				}
			})
		})
	}
}
