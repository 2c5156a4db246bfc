package location

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// changeFunc is a Change that is a function.
type changeFunc func(r *Record) bool

func (c changeFunc) Apply(r *Record) bool { return c(r) }

func TestArena(t *testing.T) {
	type held struct {
		r    ref
		fill byte
		size int
	}
	var a arena
	var items []held
	random := rand.New(rand.NewPCG(1, 2))
	check := func(h held) {
		t.Helper()
		if b := a.item(h.r)[:h.size]; bytes.Count(b, []byte{h.fill}) != h.size {
			t.Fatalf("item %x of %d bytes was written over: %x", h.r, h.size, b)
		}
	}
	steps := 200_000
	if raced {
		steps = 40_000
	}
	for step := range steps {
		grow := step%20_000 < 10_000
		if len(items) == 0 || random.IntN(10) < 4 == !grow {
			size := 1 + random.IntN(400)
			if random.IntN(100) == 0 {
				size = 1 + random.IntN(3*maxClassed)
			}
			r, b := a.alloc(size)
			if r == 0 || len(b) != size {
				t.Fatalf("alloc(%d) = %x with %d bytes", size, r, len(b))
			}
			h := held{r, byte(random.Uint32()), size}
			for i := range b {
				b[i] = h.fill
			}
			items = append(items, h)
			continue
		}
		i := random.IntN(len(items))
		check(items[i])
		a.release(items[i].r)
		items[i] = items[len(items)-1]
		items = items[:len(items)-1]
	}
	for _, h := range items {
		check(h)
		a.release(h.r)
	}
	if most := int64(len(classSizes)) * pageSize; a.bytes > most {
		t.Errorf("an empty arena holds %d bytes, at the most %d are meant to stay", a.bytes, most)
	}
}

func TestClassSizes(t *testing.T) {
	for size := 1; size <= maxClassed; size++ {
		class := classOf[(size+grain-1)/grain]
		if classSizes[class] < size || class > 0 && classSizes[class-1] >= size {
			t.Fatalf("%d bytes are put into a place of %d", size, classSizes[class])
		}
	}
}

// model is what an index should hold: by AOR, when its one binding expires.
type model map[string]int64

// TestIndexModel makes random changes, some through a log that commits later or rolls back, while time goes on,
// and compares the index with maps.
func TestIndexModel(t *testing.T) {
	const aors = 2000
	random := rand.New(rand.NewPCG(3, 4))
	x := NewIndex()
	log := &testLog{}
	now := time.Unix(1_800_000_000, 500_000_000)
	newest, shown := model{}, model{}
	settle := func(commit bool) {
		if commit {
			for _, v := range log.versions {
				x.Commit(v)
			}
			shown = model{}
			for aor, expires := range newest {
				shown[aor] = expires
			}
		} else {
			for i := len(log.versions) - 1; i >= 0; i-- {
				x.Rollback(log.versions[i])
			}
			newest = model{}
			for aor, expires := range shown {
				newest[aor] = expires
			}
		}
		log.versions = log.versions[:0]
	}
	steps := 100_000
	if raced {
		steps = 20_000
	}
	for step := range steps {
		aor := fmt.Sprintf("user%d@h", random.IntN(aors))
		expires := now.UnixMilli() + 1 + random.Int64N(1<<random.IntN(24))
		remove := random.IntN(5) == 0
		_, err := x.Update(now, []byte(aor), changeFunc(func(r *Record) bool {
			if had := newest[aor] > now.UnixMilli(); had != (len(r.Bindings) == 1) || had && r.Bindings[0].Expires != newest[aor] {
				t.Fatalf("step %d: %s is %+v, want %d", step, aor, r.Bindings, newest[aor])
			}
			r.Bindings = r.Bindings[:0]
			if !remove {
				r.Bindings = append(r.Bindings, Binding{Q: maxQ, Expires: expires, UserAgent: make([]byte, random.IntN(300))})
			}
			return true
		}), nil, log)
		if err != nil {
			t.Fatal(err)
		}
		newest[aor] = expires
		if remove {
			delete(newest, aor)
		}
		if random.IntN(20) == 0 {
			settle(random.IntN(4) != 0)
		}
		if random.IntN(50) == 0 {
			now = now.Add(time.Duration(random.Int64N(int64(20 * time.Second))))
		}
		if random.IntN(1000) == 0 {
			x.Expire(now)
			compareIndex(t, x, now, shown)
		}
	}
	settle(true)
	now = now.Add(1 << 24 * time.Millisecond)
	x.Expire(now)
	for i := range x.shards {
		s := &x.shards[i]
		if s.used != 0 || s.aors != 0 || s.bindings != 0 || s.records != 0 {
			t.Errorf("shard %d: %d slots, %d AORs, %d bindings, %d bytes are left", i, s.used, s.aors, s.bindings, s.records)
		}
	}
}

func compareIndex(t *testing.T, x *Index, now time.Time, want model) {
	t.Helper()
	listed := 0
	for cursor := ""; ; {
		next, err := x.List(now, cursor, 100, func(aor []byte, r *Record) {
			listed++
			if len(r.Bindings) != 1 || r.Bindings[0].Expires != want[string(aor)] {
				t.Fatalf("%s is listed with %+v, want %d", aor, r.Bindings, want[string(aor)])
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	live := 0
	var r Record
	for aor, expires := range want {
		_, ok := x.View(now, []byte(aor), &r, nil)
		if ok != (expires > now.UnixMilli()) {
			t.Fatalf("%s is shown: %v, expires at %d, now %d", aor, ok, expires, now.UnixMilli())
		}
		if ok {
			live++
		}
	}
	if listed != live {
		t.Fatalf("%d AORs are listed, %d are live", listed, live)
	}
}

// testLog keeps versions for the test to commit.
type testLog struct {
	versions []Version
	err      error
}

func (l *testLog) Write(aor, record []byte, v Version, done Done) (bool, error) {
	if l.err == nil {
		l.versions = append(l.versions, v)
	}
	return false, l.err
}

func (l *testLog) Wait(Done) error { return l.err }

func TestIndexRollback(t *testing.T) {
	t.Run("RG-040", func(t *testing.T) {
		x, log, now := NewIndex(), &testLog{}, time.Unix(1_800_000_000, 0)
		aor := []byte("bob@h")
		set := func(i int) Change {
			return changeFunc(func(r *Record) bool {
				r.Bindings = append(r.Bindings[:0], typicalBinding(i, now.UnixMilli()))
				return true
			})
		}
		var r Record
		see := func(want int) {
			t.Helper()
			_, ok := x.View(now, aor, &r, nil)
			if ok != (want != 0) || ok && !bytes.Equal(r.Bindings[0].Contact, typicalBinding(want, 0).Contact) {
				t.Errorf("View: %v %+v, want binding %d", ok, r.Bindings, want)
			}
		}
		x.Update(now, aor, set(1), nil, log)
		see(0) // what is not durable is not shown
		x.Rollback(log.versions[0])
		see(0)
		if st := x.Stats(); st.AORs != 0 || st.Records != 0 {
			t.Errorf("after the rollback of all: %+v", st)
		}
		x.Update(now, aor, set(2), nil, nil)
		log.versions = nil
		x.Update(now, aor, set(3), nil, log)
		x.Update(now, aor, set(4), nil, log)
		see(2)
		x.Rollback(log.versions[1])
		x.Rollback(log.versions[0])
		see(2)
		log.err = ErrUnavailable
		if _, err := x.Update(now, aor, set(5), nil, log); err != ErrUnavailable {
			t.Errorf("Update with a log that fails: %v", err)
		}
		see(2)
		if _, err := x.Update(now, []byte("eve@h"), set(5), nil, log); err != ErrUnavailable {
			t.Errorf("Update with a log that fails: %v", err)
		}
		if st := x.Stats(); st.AORs != 1 || st.Bindings != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestExpiryIsCheap: a wheel looks at no AOR whose time has not come, but once in an hour or so.
func TestExpiryIsCheap(t *testing.T) {
	var w wheel
	const slots = 10_000
	all := make([]slot, slots+1)
	budget := 1
	w.advance(all, 1000, &budget)
	for n := uint32(1); n <= slots; n++ {
		w.schedule(all, n, 1000+3600+n%3600)
	}
	looked, fired := 0, 0
	for now := uint32(1000); now <= 1000+2*3600; now++ {
		budget := 1 << 30
		for n := w.advance(all, now, &budget); n != 0; n = w.advance(all, now, &budget) {
			fired++
			if all[n].due != now {
				t.Fatalf("slot %d fires at %d, due at %d", n, now, all[n].due)
			}
		}
		looked += 1<<30 - budget
	}
	if fired != slots || looked > 2*slots {
		t.Errorf("%d slots fired of %d, %d were looked at", fired, slots, looked)
	}
}

// TestUpdateAllocatesNothing: a refresh, once warm.
func TestUpdateAllocatesNothing(t *testing.T) {
	x, now := NewIndex(), time.Unix(1_800_000_000, 0)
	log := &testLog{}
	aor := []byte("bob@biloxi.example.com")
	b := typicalBinding(1, now.UnixMilli())
	var c Change = changeFunc(func(r *Record) bool {
		b.Writer.CSeq++
		r.Bindings = append(r.Bindings[:0], b)
		return true
	})
	refresh := func() {
		now = now.Add(time.Second)
		b.Updated, b.Expires = now.UnixMilli(), now.UnixMilli()+3_600_000
		if _, err := x.Update(now, aor, c, nil, log); err != nil {
			t.Fatal(err)
		}
		x.Commit(log.versions[0])
		log.versions = log.versions[:0]
	}
	for range 100 {
		refresh()
	}
	if n := testing.AllocsPerRun(1000, refresh); n != 0 {
		t.Errorf("a refresh allocates %v times", n)
	}
	var r Record
	var buf []byte
	view := func() { buf, _ = x.View(now, aor, &r, buf) }
	view()
	if n := testing.AllocsPerRun(1000, view); n != 0 || len(r.Bindings) != 1 {
		t.Errorf("a view allocates %v times", n)
	}
}
