package digest

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

func TestEntryFillsACacheLine(t *testing.T) {
	if n := unsafe.Sizeof(usedNonce{}); n != 64 {
		t.Errorf("an entry has %d bytes", n)
	}
	if n := unsafe.Sizeof(set{}); n != (1+ways)*64 {
		t.Errorf("a set has %d bytes", n)
	}
	if n := unsafe.Sizeof(shard{}); n != 64 {
		t.Errorf("a shard has %d bytes", n)
	}
}

func TestNonceCounts(t *testing.T) {
	steps := []struct {
		nc   uint32
		want bool
	}{
		{5, true}, {5, false}, {4, true}, {4, false}, {6, true}, {5, false}, {68, true}, {6, false}, {5, false},
		{4, false}, {7, true}, {7, false}, {200, true}, {68, false}, {137, true}, {136, false}, {0xffffffff, true},
		{0xffffffff, false}, {0, false}, {200, false}, {0xfffffffe, true},
	}
	var n usedNonce
	for _, s := range steps {
		if got := n.count(s.nc); got != s.want {
			t.Fatalf("nc %d: %v, want %v", s.nc, got, s.want)
		}
	}
}

// A challenge leaves no trace, and neither do credentials that are not valid.
func TestNoStateBeforeUse(t *testing.T) {
	a := newTestAuthenticator(Config{MaxNonces: 64})
	for range 1000 {
		p := newPhone(t, a, testTime, 1)
		p.password = "wrong"
		want(t, check(a, testTime, register(t, 1, "", p.credentials())), Wrong, ReasonWrongPassword)
	}
	for i := range a.window.shards {
		if a.window.shards[i].sets != nil {
			t.Fatal("the window has grown before the first valid use")
		}
	}
}

// TestWindowAgainstModel plays uses of many nonces against a window that is far too small for them. The
// model remembers everything: whatever it knows as used must never be let in as new.
func TestWindowAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWindow(rapid.SampledFrom([]int{2 * ways, 64 * ways}).Draw(t, "size"))
		crowd := rapid.IntRange(0, 8).Draw(t, "crowd") // keys have so many zeros in front
		type countOf struct {
			nonce int
			nc    uint32
		}
		counted, spent := map[countOf]bool{}, map[int]bool{}
		nonces := rapid.IntRange(1, 200).Draw(t, "nonces")
		key := func(i int) uint64 { return uint64(i+1) * 0x9e3779b97f4a7c15 >> crowd }
		for step := range rapid.IntRange(1, 600).Draw(t, "steps") {
			i := rapid.IntRange(0, nonces-1).Draw(t, "nonce")
			u := use{
				mint:    mint{at: uint64(i/3) + 1, key: key(i)},
				now:     1000,
				print:   uint64(step) + 1, // no request comes twice
				nc:      uint32(rapid.IntRange(1, 80).Draw(t, "nc")),
				counted: rapid.Bool().Draw(t, "counted"),
				private: rapid.Bool().Draw(t, "private"),
			}
			out := w.admit(&u)
			c := countOf{i, u.nc}
			switch {
			case out == again || out == expired:
				t.Fatalf("outcome %d of a new request in time", out)
			case out == first && u.counted && counted[c]:
				t.Fatalf("nonce %d nc %d let in twice", i, u.nc)
			case out == first && !u.counted && spent[i]:
				t.Fatalf("nonce %d let in after it was spent", i)
			}
			if out == first && u.counted {
				counted[c] = true
			}
			if out == first && !u.counted && !u.private {
				spent[i] = true
			}
		}
	})
}

// While the window has room, it refuses nothing that is new.
func TestWindowWithRoom(t *testing.T) {
	w := newWindow(ways)
	for nc := uint32(1); nc < 200; nc++ {
		for i := range uint64(ways) {
			u := use{mint: mint{at: 1, key: i + 1}, now: 1, print: uint64(nc)<<8 | i, nc: nc, counted: true}
			if out := w.admit(&u); out != first {
				t.Fatalf("nonce %d nc %d: outcome %d", i, nc, out)
			}
		}
	}
}

// A window begins small, and grows before it gives anything up, unless what it would give up is over.
func TestWindowGrows(t *testing.T) {
	const nonces = 1 << 13
	w := newWindow(8 * nonces)
	sets := func() (n int) {
		for i := range w.shards {
			n += len(w.shards[i].sets)
		}
		return n
	}
	play := func(at, over uint64, want outcome) {
		t.Helper()
		for i := range uint64(nonces) {
			u := use{mint: mint{at: at, key: (i + at*nonces) * 0x9e3779b97f4a7c15}, now: at, over: over,
				print: at<<32 | uint64(want)<<31 | i, nc: 1, counted: true}
			if out := w.admit(&u); out != want {
				t.Fatalf("nonce %d: outcome %d, want %d", i, out, want)
			}
		}
	}
	play(1, 0, first)
	if n := sets(); n <= windowShards*firstSets || n > 4*nonces/ways {
		t.Errorf("%d nonces have %d sets", nonces, n)
	}
	play(1, 0, replayed)
	grown := sets()
	for at := range uint64(8) {
		play(at+2, at+2, first)
	}
	if n := sets(); n > 2*grown {
		t.Errorf("%d sets were enough for %d nonces in use, and became %d", grown, nonces, n)
	}
}

// Sets fill evenly: with the window half full, hardly anything has been given up.
func TestWindowSpread(t *testing.T) {
	a := newTestAuthenticator(Config{})
	w := newWindow(1 << 14)
	s := borrow()
	defer s.release()
	for range 1 << 13 {
		m, _ := a.openNonce(s, a.appendNonce(nil, s, 1, []byte(testRealm)), []byte(testRealm))
		w.admit(&use{mint: m, now: 1, print: 1, nc: 1, counted: true})
	}
	full, sets := 0, 0
	for i := range w.shards {
		for j := range w.shards[i].sets {
			sets++
			if w.shards[i].sets[j].mark != 0 {
				full++
			}
		}
	}
	if full > sets/50 {
		t.Errorf("%d of %d sets overflowed", full, sets)
	}
}
