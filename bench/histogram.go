package bench

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A value's first histogramBits bits say which bucket it is counted in: it is known to 1/64, 1.6 %.
const (
	histogramBits    = 6
	histogramBuckets = (64 - histogramBits + 1) << histogramBits
)

// Histogram counts durations in buckets whose width grows with them. The zero value is empty. It may be
// used by many goroutines.
type Histogram struct {
	counts [histogramBuckets]atomic.Uint32
	max    atomic.Int64
	sum    atomic.Int64
}

// bucketOf is the index of a value's bucket: small values have their own, and each power of two above is
// cut into equal parts.
func bucketOf(v uint64) int {
	shift := bits.Len64(v) - histogramBits - 1
	if shift <= 0 {
		return int(v)
	}
	return shift<<histogramBits + int(v>>shift)
}

// bucketTop is the largest value of a bucket.
func bucketTop(i int) uint64 {
	shift := i>>histogramBits - 1
	if shift <= 0 {
		return uint64(i)
	}
	return (uint64(i-shift<<histogramBits)+1)<<shift - 1
}

// Record counts one duration; a negative one as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))].Add(1)
	h.sum.Add(int64(d))
	for old := h.max.Load(); int64(d) > old && !h.max.CompareAndSwap(old, int64(d)); old = h.max.Load() {
	}
}

// Add counts all that other has counted.
func (h *Histogram) Add(other *Histogram) {
	for i := range other.counts {
		if n := other.counts[i].Load(); n > 0 {
			h.counts[i].Add(n)
		}
	}
	h.sum.Add(other.sum.Load())
	h.max.Store(max(h.max.Load(), other.max.Load()))
}

// Count is how many durations were recorded.
func (h *Histogram) Count() (n int64) {
	for i := range h.counts {
		n += int64(h.counts[i].Load())
	}
	return n
}

// Quantile is the duration that the share q of all, from 0 to 1, did not exceed; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	total := h.Count()
	rank := int64(q*float64(total) + 0.5)
	var n int64
	for i := range h.counts {
		n += int64(h.counts[i].Load())
		if n >= max(rank, 1) {
			return min(time.Duration(bucketTop(i)), h.Max())
		}
	}
	return h.Max()
}

// Max is the longest duration.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Mean is the mean duration, 0 if there are none.
func (h *Histogram) Mean() time.Duration {
	if n := h.Count(); n > 0 {
		return time.Duration(h.sum.Load() / n)
	}
	return 0
}
