package journal

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// refresh is a change that a benchmark makes again and again, and its Done.
type refresh struct {
	binding location.Binding
	done    chan error
}

func (c *refresh) Apply(r *location.Record) bool {
	c.binding.Writer.CSeq++
	c.binding.Updated++
	r.Bindings = append(r.Bindings[:0], c.binding)
	return true
}

func (c *refresh) Done(err error) { c.done <- err }

// cpuTime is what the process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// typical is a binding of some 260 bytes, encoded.
func typical(i int) location.Binding {
	b := siptest.LocationBinding(epoch, i)
	b.Before, b.Path = location.Writer{}, nil
	return b
}

// BenchmarkUpdate256 has 256 writers that each wait for their change, over so many AORs.
func BenchmarkUpdate256(b *testing.B) {
	const writers = 256
	for _, aors := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("aors=%d", aors), func(b *testing.B) {
			var syncs atomic.Int64
			j, err := Open(Config{Dir: b.TempDir(), Synced: func() { syncs.Add(1) }, Now: func() time.Time { return epoch }})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			load(b, j, aors)
			b.ReportAllocs()
			b.ResetTimer()
			before, groups := cpuTime(), syncs.Load()
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					c := &refresh{binding: typical(w), done: make(chan error, 1)}
					var change location.Change = c
					random := rand.New(rand.NewPCG(uint64(w), 1))
					var aor []byte
					for left.Add(-1) >= 0 {
						aor = appendAOR(aor[:0], random.IntN(aors))
						durable, err := j.Update(epoch, aor, change, c)
						if err == nil && !durable {
							err = <-c.done
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(b.N)/float64(syncs.Load()-groups), "ops/sync")
		})
	}
}

// BenchmarkUpdate has one goroutine that changes one AOR after the other and does not wait, as a reader does, with
// at the most 4096 changes on their way.
func BenchmarkUpdate(b *testing.B) {
	const aors = 100_000
	j, err := Open(Config{Dir: b.TempDir(), Now: func() time.Time { return epoch }})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	load(b, j, aors)
	c := &refresh{binding: typical(1), done: make(chan error, 4096)}
	var change location.Change = c
	var aor []byte
	random := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	flying := 0
	for range b.N {
		for ; flying > 0 && (flying == cap(c.done) || len(c.done) > 0); flying-- {
			if err := <-c.done; err != nil {
				b.Fatal(err)
			}
		}
		aor = appendAOR(aor[:0], random.IntN(aors))
		if durable, err := j.Update(epoch, aor, change, c); durable || err != nil {
			b.Fatal(durable, err)
		}
		flying++
	}
	for ; flying > 0; flying-- {
		if err := <-c.done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

// load puts so many AORs into the store, without waiting for each.
func load(tb testing.TB, j *Journal, aors int) {
	var all sync.WaitGroup
	d := waitDone{&all}
	var b location.Binding
	var c location.Change = siptest.LocationChange(func(r *location.Record) bool {
		r.Bindings = append(r.Bindings[:0], b)
		return true
	})
	for i := range aors {
		b = typical(i)
		for {
			all.Add(1)
			durable, err := j.Update(epoch, appendAOR(nil, i), c, d)
			if durable || err != nil {
				all.Done()
			}
			if err == location.ErrOverload {
				time.Sleep(time.Millisecond)
				continue
			}
			if err != nil {
				tb.Fatal(err)
			}
			break
		}
	}
	all.Wait()
}

// appendAOR is a key of so many, without the allocations of package fmt.
func appendAOR(dst []byte, i int) []byte {
	dst = append(dst, "user"...)
	dst = strconv.AppendInt(dst, 1_000_000+int64(i), 10)
	return append(dst, "@biloxi.example.com"...)
}

type waitDone struct{ all *sync.WaitGroup }

func (d waitDone) Done(error) { d.all.Done() }

// BenchmarkOpen opens a folder with a million AORs, from a snapshot and from a journal.
func BenchmarkOpen(b *testing.B) {
	const aors = 1_000_000
	for _, name := range []string{"journal", "snapshot"} {
		b.Run(name, func(b *testing.B) {
			cfg := Config{Dir: b.TempDir(), SnapshotBytes: 1 << 40, Now: func() time.Time { return epoch }}
			j, err := Open(cfg)
			if err != nil {
				b.Fatal(err)
			}
			load(b, j, aors)
			if name == "snapshot" {
				began, cpu := time.Now(), cpuTime()
				j.keeper.snapshot()
				b.Logf("snapshot written in %v, %v CPU", time.Since(began), cpuTime()-cpu)
			}
			j.Close()
			cpu := cpuTime()
			for b.Loop() {
				j, err := Open(cfg)
				if err != nil {
					b.Fatal(err)
				}
				if st := j.Stats(); st.AORs != aors {
					b.Fatalf("%+v", st)
				}
				b.StopTimer()
				j.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/1e9, "cpu-s/op")
		})
	}
}

// TestRefreshAllocatesNothing: nothing on the way of a refresh to the disk, once warm.
func TestRefreshAllocatesNothing(t *testing.T) {
	j := mustOpen(t, Config{Dir: t.TempDir()})
	c := &refresh{binding: typical(1), done: make(chan error, 1)}
	var change location.Change = c
	aor := []byte("bob@biloxi.example.com")
	one := func() {
		if durable, err := j.Update(epoch, aor, change, c); durable || err != nil {
			t.Fatal(durable, err)
		}
		if err := <-c.done; err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		one()
	}
	if n := testing.AllocsPerRun(200, one); n >= 1 {
		t.Errorf("a refresh allocates %v times", n)
	}
}

// BenchmarkOpenEmpty is the cost of a start with nobody registered.
func BenchmarkOpenEmpty(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		j, err := Open(Config{FS: newMemFS()})
		if err != nil {
			b.Fatal(err)
		}
		j.Close()
	}
}
