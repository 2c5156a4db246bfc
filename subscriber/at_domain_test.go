package subscriber

import (
	"fmt"
	"strings"
	"testing"

	"biloxi/sip"

	"pgregory.net/rapid"
)

// A record holds both sets of hashes, whichever of them are there, and whatever was there before.
func TestCacheHoldsBoth(t *testing.T) {
	t.Run("P8 hashes for user and for user@domain", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			c := NewCache()
			model := map[string]Subscriber{}
			for i := range rapid.IntRange(1, 200).Draw(t, "steps") {
				s := Subscriber{User: fmt.Sprint("u", rapid.IntRange(0, 20).Draw(t, "user")), Domain: "a",
					HA1s: hashesOf(2*i, uint8(rapid.IntRange(1, 7).Draw(t, "has"))<<1), AtDomain: hashesOf(2*i+1, uint8(rapid.IntRange(0, 7).Draw(t, "at"))<<1)}
				c.Put(s)
				model[s.User] = s
			}
			for user, want := range model {
				plain, ok := c.Lookup([]byte(user), []byte("a"))
				at, too := c.LookupAtDomain([]byte(user), []byte("a"))
				if !ok || !too || plain != want.HA1s || at != want.AtDomain {
					t.Fatalf("%s: %v and %v, want %v and %v", user, plain, at, want.HA1s, want.AtDomain)
				}
			}
		})
	})
	t.Run("P8 nobody has none", func(t *testing.T) {
		c := NewCache()
		c.Put(Subscriber{User: "bob", Domain: "a", HA1s: hashesOf(1, allHashes)})
		if h, ok := c.LookupAtDomain([]byte("bob"), []byte("a")); !ok || h.Has != 0 {
			t.Errorf("of bob %v, %v", h, ok)
		}
		for _, n := range [][2]string{{"carol", "a"}, {"bob", "b"}} {
			if h, ok := c.LookupAtDomain([]byte(n[0]), []byte(n[1])); ok || h.Has != 0 {
				t.Errorf("of %s@%s %v, %v", n[0], n[1], h, ok)
			}
		}
	})
}

// The hashes of algorithms that nobody offers take no memory.
func TestCacheKeeps(t *testing.T) {
	full := func(i int) Subscriber {
		return Subscriber{User: fmt.Sprintf("user%07d", i), Domain: "biloxi.example.com", HA1s: hashesOf(i, allHashes), AtDomain: hashesOf(i+1, allHashes)}
	}
	t.Run("P8 what is offered is there", func(t *testing.T) {
		c := NewCache()
		if c.Keep(sip.MD5) {
			t.Error("a cache that holds all is to be loaded")
		}
		c.Put(full(1))
		h, _ := c.Lookup([]byte("user0000001"), []byte("biloxi.example.com"))
		at, _ := c.LookupAtDomain([]byte("user0000001"), []byte("biloxi.example.com"))
		if h.Has != 1<<sip.MD5 || at.Has != 1<<sip.MD5 || h.MD5 != full(1).HA1s.MD5 || at.MD5 != full(1).AtDomain.MD5 {
			t.Errorf("%v and %v", h, at)
		}
		if !c.Keep(sip.MD5, sip.SHA256) || c.Keep(sip.MD5) {
			t.Error("it does not tell when there is more to be loaded")
		}
	})
	for _, size := range []struct {
		name       string
		algorithms []sip.Algorithm
		most       uint64
	}{
		{"MD5", []sip.Algorithm{sip.MD5}, 110},
		{"MD5 and SHA-256", []sip.Algorithm{sip.MD5, sip.SHA256}, 180},
		{"all", []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256}, 260},
	} {
		t.Run("P8 memory for "+size.name, func(t *testing.T) {
			const n = 100_000
			before, _ := heap()
			c := NewCache()
			c.Keep(size.algorithms...)
			for i := range n {
				c.Put(full(i))
			}
			after, _ := heap()
			t.Logf("%.1f bytes each", float64(after-before)/n)
			if after-before > size.most*n || c.Len() != n {
				t.Errorf("%d bytes for %d", after-before, c.Len())
			}
		})
	}
}

func TestCSVAtDomain(t *testing.T) {
	t.Run("P8 a password makes both, and the domain is its own name", func(t *testing.T) {
		csv := CSV{
			Domain: func(string) (Domain, bool) { return Domain{"biloxi.example.com", "realm"}, true },
			Hash: func(username, realm, password string) (h HA1s) {
				h.Set(sip.MD5, []byte(fmt.Sprintf("%-16.16s", username)))
				return h
			},
		}
		for s, err := range csv.Read(strings.NewReader("bob@sip.example.com,secret\n")) {
			if err != nil || s.Domain != "biloxi.example.com" || string(s.HA1s.MD5[:]) != "bob             " || string(s.AtDomain.MD5[:]) != "bob@biloxi.examp" {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
	t.Run("P8 hashes are for the user alone", func(t *testing.T) {
		for s, err := range testCSV.Read(strings.NewReader("bob@example.com," + strings.Repeat("41", 16) + ",\n")) {
			if err != nil || s.HA1s.Has != 1<<sip.MD5 || s.AtDomain.Has != 0 {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}
