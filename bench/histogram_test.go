package bench

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQuantiles compares with the sorted values themselves, which the buckets know to 1/64.
func TestQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	for range 20000 {
		d := time.Duration(1) << random.IntN(40)
		d += time.Duration(random.Int64N(int64(d)))
		all = append(all, d)
		h.Record(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[max(0, int(q*float64(len(all))+0.5)-1)]
		if got := h.Quantile(q); got < want || got > want+want/32 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	if h.Max() != all[len(all)-1] || h.Count() != int64(len(all)) {
		t.Errorf("max %v of %d, want %v of %d", h.Max(), h.Count(), all[len(all)-1], len(all))
	}
}

func TestBuckets(t *testing.T) {
	last := -1
	for v := uint64(0); v < 1<<20; v++ {
		i := bucketOf(v)
		if i < last || i > last+1 || bucketTop(i) < v || i > 0 && bucketTop(i-1) >= v {
			t.Fatalf("%d is in bucket %d, whose last value is %d; the one before was in %d", v, i, bucketTop(i), last)
		}
		last = i
	}
	if i := bucketOf(1<<63 - 1); i >= histogramBuckets {
		t.Errorf("the longest duration is in bucket %d of %d", i, histogramBuckets)
	}
}

func TestHistogramsAddUp(t *testing.T) {
	var a, b, none Histogram
	a.Record(time.Millisecond)
	b.Record(3 * time.Millisecond)
	b.Record(-time.Second) // a clock that went back
	a.Add(&b)
	a.Add(&none)
	if a.Count() != 3 || a.Max() != 3*time.Millisecond || a.Mean() != 4*time.Millisecond/3 {
		t.Errorf("%d values, mean %v, max %v", a.Count(), a.Mean(), a.Max())
	}
	if none.Quantile(0.5) != 0 || none.Mean() != 0 {
		t.Error("an empty histogram has values")
	}
}
