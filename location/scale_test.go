package location

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// appendTestAOR is a key of so many, without the allocations of package fmt.
func appendTestAOR(dst []byte, i int) []byte {
	dst = append(dst, "user"...)
	dst = strconv.AppendInt(dst, 1_000_000+int64(i), 10)
	return append(dst, "@biloxi.example.com"...)
}

// fill puts n AORs with one typical binding each into the index.
func fill(tb testing.TB, x *Index, now time.Time, n int) {
	var aor []byte
	b := typicalBinding(0, now.UnixMilli())
	var c Change = changeFunc(func(r *Record) bool {
		r.Bindings = append(r.Bindings, b)
		return true
	})
	for i := range n {
		aor = appendTestAOR(aor[:0], i)
		b = typicalBinding(i, now.UnixMilli())
		if _, err := x.Update(now, aor, c, nil, nil); err != nil {
			tb.Fatal(err)
		}
	}
}

// heap is what the collector sees, after it has collected.
func heap() (bytes, objects uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.HeapObjects
}

// TestBytesPerAOR holds the memory of a million AORs to its budget: 400 bytes each, and no heap object of
// their own.
func TestBytesPerAOR(t *testing.T) {
	aors := 1_000_000
	if testing.Short() || raced {
		aors = 100_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	bytesBefore, objectsBefore := heap()
	x := NewIndex()
	fill(t, x, time.Unix(1_800_000_000, 0), aors)
	bytesAfter, objectsAfter := heap()
	began := time.Now()
	runtime.GC()
	cycle := time.Since(began)
	var gc debug.GCStats
	debug.ReadGCStats(&gc)

	perAOR := float64(bytesAfter-bytesBefore) / float64(aors)
	objects := float64(int64(objectsAfter)-int64(objectsBefore)) / float64(aors)
	st := x.Stats()
	t.Logf("%d AORs: %.0f bytes each (%.0f by Stats, %.0f of AOR and record), %.3f heap objects each, GC cycle %v, last pause %v",
		st.AORs, perAOR, float64(st.Bytes)/float64(aors), float64(st.Records)/float64(aors), objects, cycle, gc.Pause[0])
	if perAOR > 400 {
		t.Errorf("%.0f bytes per AOR", perAOR)
	}
	if objects > 0.1 {
		t.Errorf("%.3f heap objects per AOR", objects)
	}
	if st.AORs != aors || st.Bindings != aors {
		t.Errorf("%+v", st)
	}
	runtime.KeepAlive(x)
}

func BenchmarkIndexUpdate(b *testing.B) {
	for _, aors := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("aors=%d", aors), func(b *testing.B) {
			x, now := NewIndex(), time.Unix(1_800_000_000, 0)
			fill(b, x, now, aors)
			var aor []byte
			binding := typicalBinding(7, now.UnixMilli())
			var c Change = changeFunc(func(r *Record) bool {
				old := &r.Bindings[0]
				old.Expires, old.Updated = binding.Expires, binding.Updated
				old.Writer.CSeq++
				return true
			})
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i = (i + 7919) % aors
				aor = appendTestAOR(aor[:0], i)
				if _, err := x.Update(now, aor, c, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIndexView(b *testing.B) {
	x, now := NewIndex(), time.Unix(1_800_000_000, 0)
	const aors = 100_000
	fill(b, x, now, aors)
	var aor, buf []byte
	var r Record
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % aors
		aor = appendTestAOR(aor[:0], i)
		if buf, _ = x.View(now, aor, &r, buf); len(r.Bindings) != 1 {
			b.Fatal("not found")
		}
	}
}
