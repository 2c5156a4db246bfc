//go:build !race

package transaction

// The race detector allocates and takes memory for itself: what is measured here is measured without it.

import (
	"runtime"
	"testing"
	"time"

	"biloxi/sip"
)

// TestAllocations: in a steady run a transaction allocates nothing.
func TestAllocations(t *testing.T) {
	for _, method := range []string{"INVITE", "MESSAGE"} {
		s := newLoad(t, method, 200, 0, 2*time.Millisecond)
		s.warm(s.server)
		if n := testing.AllocsPerRun(2000, s.server); n != 0 {
			t.Errorf("%s server: %v allocations", method, n)
		}
		for _, code := range []int{200, 486} {
			c := newLoad(t, method, code, 0, 2*time.Millisecond)
			c.warm(c.mustClient(t))
			if n := testing.AllocsPerRun(2000, c.mustClient(t)); n != 0 {
				t.Errorf("%s client, %d: %v allocations", method, code, n)
			}
		}
	}
}

// heap is the memory that is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// bytes is how much memory the chunks are.
func (c *chunks) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.held)) * chunkBytes
}

// objects is how many objects the heap has.
func objects() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapObjects
}

// TestBytesPerFinished: what one that is finished costs beside the bytes of its response, on the heap and off it, and
// that the garbage collector has nothing to do with it.
func TestBytesPerFinished(t *testing.T) {
	const n = 300_000
	l := newLoad(t, "MESSAGE", 200, 0, time.Microsecond)
	l.server()
	response := len(l.null.response)
	before, spare, many := heap(), l.layer.chunks.bytes(), objects()
	for range n {
		l.server()
	}
	onHeap, off := int64(heap()-before), l.layer.chunks.bytes()-spare
	each := float64(onHeap+off)/n - float64(response)
	more := float64(int64(objects())-int64(many)) / n
	t.Logf("%.1f bytes beside the %d of the response, %.1f of them on the heap, %.4f objects", each, response, float64(onHeap)/n, more)
	if s := l.layer.Stats(); s.Logged != n+1 || s.GivenUp != 0 {
		t.Fatalf("%+v", s)
	}
	// Two of them are chunks that are not full yet, one for each shard, which more transactions share.
	if each > 64 || float64(onHeap)/n > 24 || more > 0.01 {
		t.Error("that is too much")
	}
	if s := l.layer.Stats(); s.LoggedBytes < int64(n*response) || s.LoggedBytes > onHeap+off {
		t.Errorf("counted as %d bytes, it is %d", s.LoggedBytes, onHeap+off)
	}
}

// TestBytesPerTransaction: what one that is held costs, with all that is around it, in each state that lasts; and
// that all of it goes when all are over (TX-040).
func TestBytesPerTransaction(t *testing.T) {
	const n = 20_000
	for _, row := range []struct {
		name  string
		limit int64
		make  func(l *Layer, now time.Time, b []byte, m *sip.Message, req *sip.Request)
		text  []byte
	}{
		{"INVITE server, Proceeding", 704, receive(0), sdp(requestText("INVITE", branch(0)))},
		{"INVITE server, Completed", 704, receive(486), sdp(requestText("INVITE", branch(0)))},
		{"INVITE server, Accepted", 256, receive(200), sdp(requestText("INVITE", branch(0)))},
		{"INVITE client, Calling", MaxBytesEach + 512, send(0), sdp(requestText("INVITE", branch(0)))},
		{"INVITE client, Proceeding", 832, send(180), sdp(requestText("INVITE", branch(0)))},
		{"INVITE client, Completed", 832, send(486), sdp(requestText("INVITE", branch(0)))},
		{"INVITE client, Accepted", 256, send(200), sdp(requestText("INVITE", branch(0)))},
		{"non-INVITE server, Trying", 704, receive(0), requestText("MESSAGE", branch(0))},
		{"non-INVITE server, Completed", 512, receive(200), requestText("MESSAGE", branch(0))},
		{"non-INVITE client, Trying", 1280, send(0), requestText("MESSAGE", branch(0))},
		{"non-INVITE client, Completed", 128, send(200), requestText("MESSAGE", branch(0))},
	} {
		t.Run(row.name, func(t *testing.T) {
			idle := new(idle)
			now := time.Unix(1e9, 0)
			l := New(Config{Max: 2 * n}, now, idle, idle)
			idle.layer = l
			var m sip.Message
			var req sip.Request
			at := indexOf(t, row.text, branch(0))
			before, goroutines := heap(), runtime.NumGoroutine()
			for i := range n {
				copy(row.text[at:], branch(i))
				row.make(l, now, row.text, &m, &req)
			}
			each := (int64(heap()-before) + l.chunks.bytes()) / n
			t.Logf("%d bytes", each)
			if s := l.Stats(); s.Clients+s.Servers != n {
				t.Fatalf("%+v", s)
			}
			if more := runtime.NumGoroutine() - goroutines; more > 0 {
				t.Errorf("%d goroutines for %d transactions", more, n)
			}
			if each > row.limit {
				t.Errorf("%d bytes each, at most %d", each, row.limit)
			}
			// The last ones end. INVITEs that nobody answers are ended by their user.
			for _, id := range idle.ids {
				l.Terminate(now, id)
			}
			idle.ids = nil
			for range 20 {
				now = now.Add(10 * time.Second)
				l.Advance(now)
			}
			if s := l.Stats(); s.Clients+s.Servers+s.Logged != 0 || s.Bytes != 0 {
				t.Errorf("%+v", s)
			}
			if left := int64(heap()) - int64(before) + l.chunks.bytes(); left > 12<<20 {
				t.Errorf("%d bytes are left", left)
			}
			runtime.KeepAlive(l)
		})
	}
}
