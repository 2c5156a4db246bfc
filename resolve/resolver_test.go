package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"biloxi/sip"
)

// TestSingleFlight looks one URI up many times at once.
func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := loadZones(t)
		z.asks = make(chan struct{})
		r := run(t, Config{Servers: []netip.AddrPort{serverA}, Exchanger: z, Families: IPv4Only})
		const callers = 100
		lists := make([]Targets, callers)
		done := make(waiter, callers)
		for i := range lists {
			u := parse(t, "sip:example.com")
			if ready, err := r.Lookup(Query{URI: &u}, &lists[i], done); ready || err != nil {
				t.Fatal(ready, err)
			}
		}
		synctest.Wait()
		if s := r.Stats(); s.Pending != callers || s.Questions != 1 {
			t.Errorf("%+v", s)
		}
		close(z.asks)
		for i := range callers {
			if err := <-done; err != nil {
				t.Fatal(i, err)
			}
		}
		for i := range lists {
			if lists[i].Len() != 2 {
				t.Errorf("%d targets", lists[i].Len())
			}
		}
		// NAPTR, SRV and two servers.
		if asked := z.questions(); len(asked) != 4 {
			t.Errorf("asked %q", asked)
		}
	})
}

// TestClose ends look-ups in each place where they may be.
func TestClose(t *testing.T) {
	lookup := func(t *testing.T, r *Resolver, list *Targets, done Done, host string) {
		t.Helper()
		u := parse(t, "sip:"+host+":5060")
		if ready, err := r.Lookup(Query{URI: &u}, list, done); ready || err != nil {
			t.Fatal(ready, err)
		}
	}
	t.Run("asked and in the queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			z := loadZones(t)
			z.silent[serverA.String()] = true
			r := run(t, Config{Servers: []netip.AddrPort{serverA}, Exchanger: z, Workers: 1})
			done := make(waiter, 3)
			lists := make([]Targets, 3)
			for i := range lists {
				lookup(t, r, &lists[i], done, fmt.Sprintf("h%d.example.com", i))
			}
			synctest.Wait()
			r.Close()
			for range lists {
				select {
				case err := <-done:
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
				default:
					t.Fatal("a look-up has no end")
				}
			}
			r.Close()
			r.Run() // returns
			if s := r.Stats(); s.Pending != 0 {
				t.Errorf("%+v", s)
			}
		})
	})
	t.Run("never run", func(t *testing.T) {
		g := newRig(t)
		done := make(waiter, 1)
		var list Targets
		lookup(t, g.Resolver, &list, done, "v4.example.com")
		g.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		u := parse(t, "sip:v4.example.com")
		if ready, err := g.Lookup(Query{URI: &u}, &list, done); ready || !errors.Is(err, ErrClosed) {
			t.Error(ready, err)
		}
		g.expect("sip:192.0.2.1", "UDP 192.0.2.1:5060 0/0")
	})
}

// TestTogether looks up, fails and changes servers from many goroutines.
func TestTogether(t *testing.T) {
	z := loadZones(t)
	r := run(t, Config{Servers: []netip.AddrPort{serverA, serverB}, Exchanger: z, Workers: 4, MaxPending: 1000, MaxCached: 8})
	uris := []string{"sip:example.com", "sips:srv.example.com", "sip:alias.example.com", "sip:nobody.example.com", "sip:load.example.com", "sip:192.0.2.1"}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			var list Targets
			done := make(waiter, 1)
			for i := range 200 {
				u := parse(t, uris[(n+i)%len(uris)])
				ready, err := r.Lookup(Query{URI: &u}, &list, done)
				if !ready && err == nil {
					err = <-done
				}
				if err != nil && !errors.Is(err, ErrNoDomain) {
					t.Error(err)
				}
				for target, ok := list.Next(); ok; target, ok = list.Next() {
					if i%3 == 0 {
						list.Failed(target, 0)
					} else {
						r.Answered(target)
					}
				}
				if i%50 == n {
					if err := r.SetServers([]netip.AddrPort{serverB}, nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if s := r.Stats(); s.Pending != 0 || s.Cached > 8 || s.Lookups != 1600 {
		t.Errorf("%+v", s)
	}
}

// warm are look-ups that memory answers, with the look-up before them already done.
var warm = []string{
	"sip:192.0.2.1:5070",
	"sip:example.com;transport=udp",
	"sips:bob@Example.com",
	"sip:load.example.com",
	"sip:alias.example.com:5060",
	"sip:localhost",
}

// TestWarmAllocations looks up what is in memory.
func TestWarmAllocations(t *testing.T) {
	for _, failed := range []bool{false, true} {
		g := newRig(t)
		if failed {
			g.Failed(Target{Transport: sip.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}, 0)
		}
		for _, uri := range warm {
			if _, err := g.find(uri); err != nil {
				t.Fatal(uri, err)
			}
			u := parse(t, uri)
			var list Targets
			look := func() {
				if ready, err := g.Lookup(Query{URI: &u}, &list, nil); !ready || err != nil {
					t.Fatal(ready, err)
				}
			}
			if n := testing.AllocsPerRun(100, look); n != 0 {
				t.Errorf("%s: %v allocations", uri, n)
			}
		}
		// What does not exist costs nothing either.
		if _, err := g.find("sip:nobody.example.com"); !errors.Is(err, ErrNoDomain) {
			t.Fatal(err)
		}
		u := parse(t, "sip:nobody.example.com")
		var list Targets
		if n := testing.AllocsPerRun(100, func() { g.Lookup(Query{URI: &u}, &list, nil) }); n != 0 {
			t.Errorf("NXDOMAIN: %v allocations", n)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, uri := range warm {
		b.Run(uri, func(b *testing.B) {
			g := newRig(b)
			if _, err := g.find(uri); err != nil {
				b.Fatal(err)
			}
			u := parse(b, uri)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				var list Targets
				for pb.Next() {
					if ready, err := g.Lookup(Query{URI: &u}, &list, nil); !ready || err != nil {
						b.Fatal(ready, err)
					}
				}
			})
		})
	}
}
