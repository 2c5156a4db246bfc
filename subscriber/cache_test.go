package subscriber

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"biloxi/sip"

	"pgregory.net/rapid"
)

// hashesOf makes hashes that belong to n alone.
func hashesOf(n int, has uint8) (h HA1s) {
	var b [32]byte
	copy(b[:], strconv.Itoa(n))
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		b[31] = byte(a)
		if has&(1<<a) != 0 {
			h.Set(a, b[:])
		}
	}
	return h
}

const allHashes = 1<<sip.MD5 | 1<<sip.SHA256 | 1<<sip.SHA512_256

func TestCacheAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewCache()
		type name struct{ user, domain string }
		model := map[name]HA1s{}
		for i := range rapid.IntRange(0, 400).Draw(t, "steps") {
			n := name{fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "user")), fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "domain"))}
			if rapid.IntRange(0, 2).Draw(t, "op") > 0 {
				h := hashesOf(i, uint8(rapid.IntRange(1, 7).Draw(t, "has"))<<1)
				c.Put(Subscriber{User: n.user, Domain: n.domain, HA1s: h})
				model[n] = h
			} else {
				c.Remove(n.user, n.domain)
				delete(model, n)
			}
		}
		if c.Len() != len(model) {
			t.Fatalf("%d, want %d", c.Len(), len(model))
		}
		for user := range 61 {
			for domain := range 4 {
				n := name{fmt.Sprint(user), fmt.Sprint(domain)}
				want, there := model[n]
				if got, ok := c.Lookup([]byte(n.user), []byte(n.domain)); got != want || ok != there {
					t.Fatalf("%v: %v %v, want %v %v", n, got, ok, want, there)
				}
			}
		}
	})
}

// One shard, so that its table grows, its runs are long and its arena is written anew.
func TestShardAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s shard
		model := map[int]HA1s{}
		few := rapid.Uint64Range(1, 64).Draw(t, "hashes")
		hash := func(n int) uint64 { return uint64(n) % few << 34 }
		for i := range rapid.IntRange(0, 600).Draw(t, "steps") {
			n := rapid.IntRange(0, 100).Draw(t, "user")
			user := fmt.Appendf(nil, "user%d", n)
			if rapid.IntRange(0, 2).Draw(t, "op") > 0 {
				h := hashesOf(i, uint8(rapid.IntRange(1, 7).Draw(t, "has"))<<1)
				s.put(hash(n), 7, user, &h, new(HA1s))
				model[n] = h
			} else {
				s.remove(hash(n), 7, user)
				delete(model, n)
			}
			if s.live != len(model) {
				t.Fatalf("%d, want %d", s.live, len(model))
			}
		}
		used := 0
		for n := range 101 {
			user := fmt.Appendf(nil, "user%d", n)
			want, there := model[n]
			got, ok := s.lookup(hash(n), 7, user, false)
			if got != want || ok != there {
				t.Fatalf("%s: %v %v, want %v %v", user, got, ok, want, there)
			}
			if _, ok := s.lookup(hash(n), 8, user, false); ok {
				t.Fatalf("%s found in another domain", user)
			}
			if there {
				used += len(appendRecord(nil, 7, user, &got, new(HA1s)))
			}
		}
		if used+s.waste != len(s.arena) {
			t.Fatalf("%d bytes used and %d wasted of %d", used, s.waste, len(s.arena))
		}
	})
}

func TestCacheReplacesInPlace(t *testing.T) {
	var s shard
	for i := range 10000 {
		h := hashesOf(i, uint8(i%7+1)<<1)
		s.put(0, 0, []byte("bob"), &h, new(HA1s))
	}
	if len(s.arena) > 2*minWaste || s.live != 1 {
		t.Errorf("an arena of %d bytes for %d subscriber", len(s.arena), s.live)
	}
}

func TestCacheRefusesLongUser(t *testing.T) {
	c := NewCache()
	long := string(make([]byte, MaxUser+1))
	c.Put(Subscriber{User: long, Domain: "a", HA1s: hashesOf(1, allHashes)})
	if _, ok := c.Lookup([]byte(long), []byte("a")); ok || c.Len() != 0 {
		t.Error("a user that is too long is stored")
	}
}

func TestCacheDomains(t *testing.T) {
	c := NewCache()
	for _, realm := range []string{"old", "new", "new"} {
		c.Put(Subscriber{User: "bob", Domain: "a", Realm: realm, HA1s: hashesOf(1, allHashes)})
	}
	got := c.Domains()
	if len(got) != 2 || got[0].Name != "a" || got[1].Name != "a" || got[0].Realm == got[1].Realm {
		t.Errorf("%v", got)
	}
}

// Subscribers with all three hashes take 150 bytes each at the most, and few heap objects in all. A quarter
// of a million fills the tables as a million does.
func TestCacheSize(t *testing.T) {
	const n = 250_000
	before, objects := heap()
	c := NewCache()
	for i := range n {
		c.Put(Subscriber{User: fmt.Sprintf("user%07d", i), Domain: "biloxi.example.com", HA1s: hashesOf(i, allHashes)})
	}
	after, objectsAfter := heap()
	t.Logf("%.1f bytes and %.5f heap objects each", float64(after-before)/n, float64(objectsAfter-objects)/n)
	if after-before > 150*n || objectsAfter-objects > 1000 {
		t.Errorf("%d bytes, %d objects", after-before, objectsAfter-objects)
	}
	for i := 0; i < n; i += 997 {
		if h, ok := c.Lookup(fmt.Appendf(nil, "user%07d", i), []byte("biloxi.example.com")); !ok || h != hashesOf(i, allHashes) {
			t.Fatalf("user %d: %v %v", i, h, ok)
		}
	}
	if c.Len() != n {
		t.Errorf("%d subscribers", c.Len())
	}
}

func heap() (bytes, objects uint64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.HeapObjects
}

// What is loaded is as if it had been put, one after the other, and changes as that does.
func TestCacheLoadIsPut(t *testing.T) {
	const n = 20_000
	var list []Subscriber
	model := map[string]HA1s{}
	for i := range n {
		user := fmt.Sprintf("user%d", i*7919%(n-n/10)) // every tenth comes again
		h := hashesOf(i, uint8(i%7+1)<<1)
		list = append(list, Subscriber{User: user, Domain: "a", Realm: "a", HA1s: h})
		model[user] = h
	}
	c := NewCache()
	if err := c.Load(t.Context(), listStore{list: list}); err != nil {
		t.Fatal(err)
	}
	for i := range n / 4 {
		user := fmt.Sprintf("user%d", i)
		if i%2 == 0 {
			c.Remove(user, "a")
			delete(model, user)
		} else {
			c.Put(Subscriber{User: user, Domain: "a", Realm: "a", HA1s: hashesOf(i, allHashes)})
			model[user] = hashesOf(i, allHashes)
		}
	}
	if c.Len() != len(model) {
		t.Errorf("%d, want %d", c.Len(), len(model))
	}
	for i := range n {
		user := fmt.Sprintf("user%d", i)
		want, there := model[user]
		if h, ok := c.Lookup([]byte(user), []byte("a")); ok != there || h != want {
			t.Fatalf("%s: %v %v, want %v %v", user, h, ok, want, there)
		}
	}
	for i := range c.shards {
		used := 0
		for _, slot := range c.shards[i].slots {
			if slot != 0 {
				used += size(c.shards[i].arena[int(slot&slotOffsetMask)-1:])
			}
		}
		if s := &c.shards[i]; used+s.waste != len(s.arena) {
			t.Errorf("%d bytes used and %d wasted of %d", used, s.waste, len(s.arena))
		}
	}
}

func TestLookupAllocations(t *testing.T) {
	c := NewCache()
	c.Put(Subscriber{User: "bob", Domain: "a", HA1s: hashesOf(1, allHashes)})
	bob, eve, a, b := []byte("bob"), []byte("eve"), []byte("a"), []byte("b")
	if n := testing.AllocsPerRun(100, func() {
		_, ok1 := c.Lookup(bob, a)
		_, ok2 := c.Lookup(eve, a)
		_, ok3 := c.Lookup(bob, b)
		if !ok1 || ok2 || ok3 {
			t.Fatal(ok1, ok2, ok3)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Readers see one state or another of a subscriber that changes, never a mixture.
func TestCacheConcurrent(t *testing.T) {
	c := NewCache()
	one, two := hashesOf(1, allHashes), hashesOf(2, 1<<sip.MD5)
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range 2000 {
				user := strconv.Itoa(i % 50)
				c.Put(Subscriber{User: user, Domain: strconv.Itoa(w), HA1s: one})
				c.Put(Subscriber{User: user, Domain: "shared", HA1s: two})
				c.Remove(user, "shared")
				c.Put(Subscriber{User: user, Domain: "shared", HA1s: one})
			}
		})
		wg.Go(func() {
			for i := range 10000 {
				h, ok := c.Lookup(strconv.AppendInt(nil, int64(i%50), 10), []byte("shared"))
				if ok && h != one && h != two || !ok && h != (HA1s{}) {
					t.Error("a mixture")
					return
				}
			}
		})
	}
	wg.Wait()
	if c.Len() != 150 {
		t.Errorf("%d subscribers", c.Len())
	}
}

// listStore is a Store of which Load needs only All.
type listStore struct {
	Store
	list []Subscriber
	err  error
}

func (l listStore) All(_ context.Context, fn func(Subscriber) error) error {
	for _, s := range l.list {
		if err := fn(s); err != nil {
			return err
		}
	}
	return l.err
}

var _ func(Store, context.Context, iter.Seq2[Subscriber, error]) (int, error) = Store.Import

func TestCacheLoad(t *testing.T) {
	c := NewCache()
	broken := errors.New("broken")
	list := []Subscriber{{User: "bob", Domain: "a", HA1s: hashesOf(1, allHashes)}, {User: "alice", Domain: "b", HA1s: hashesOf(2, allHashes)}}
	if err := c.Load(t.Context(), listStore{list: list}); err != nil || c.Len() != 2 {
		t.Errorf("%d, %v", c.Len(), err)
	}
	if err := c.Load(t.Context(), listStore{list: list[:1], err: broken}); err != broken || c.Len() != 2 {
		t.Errorf("a load that fails: %d, %v", c.Len(), err)
	}
	// What the store has not, the cache has not.
	if err := c.Load(t.Context(), listStore{list: list[:1]}); err != nil || c.Len() != 1 {
		t.Errorf("%d, %v", c.Len(), err)
	}
	if _, ok := c.Lookup([]byte("alice"), []byte("b")); ok {
		t.Error("alice is found after she has gone from the store")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Load(ctx, listStore{list: list}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestHA1s(t *testing.T) {
	var h HA1s
	var ha1 [32]byte
	for a := sip.NoAlgorithm; a <= sip.SHA512_256+1; a++ {
		if h.Fill(a, &ha1) || h.Of(a) != nil || h.HasAlgorithm(a) {
			t.Errorf("%v: there is one", a)
		}
	}
	h.Set(sip.NoAlgorithm, make([]byte, 32))
	h.Set(sip.SHA256, make([]byte, 16))
	if h != (HA1s{}) {
		t.Errorf("%v", h)
	}
	h = hashesOf(5, allHashes)
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		clear(ha1[:])
		if !h.Fill(a, &ha1) || string(ha1[:a.Size()]) != string(h.Of(a)) || ha1[0] != '5' || (a == sip.MD5) != (ha1[31] == 0) {
			t.Errorf("%v: %x", a, ha1)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c := NewCache()
	const n = 100_000
	for i := range n {
		c.Put(Subscriber{User: fmt.Sprintf("user%07d", i), Domain: "biloxi.example.com", HA1s: hashesOf(i, allHashes)})
	}
	domain := []byte("biloxi.example.com")
	for name, first := range map[string]int{"hit": 0, "miss": n} {
		b.Run(name, func(b *testing.B) {
			users := make([][]byte, 1024)
			for i := range users {
				users[i] = fmt.Appendf(nil, "user%07d", first+i*97)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, ok := c.Lookup(users[i%1024], domain); ok != (first == 0) {
					b.Fatal(ok)
				}
			}
		})
	}
}
