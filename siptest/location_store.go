package siptest

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// TestLocationStore is what every location.Store must pass. open gives a new, empty store; the suite closes it.
// A subtest's name is the conformance row or trap that it shows, where there is one.
func TestLocationStore(t *testing.T, open func(t *testing.T) location.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *locationStore)
	}{
		{"RG-039", locationKeepsBindings},
		{"RG-016", locationKeysAreBytes},
		{"RG-006", locationChangeIsAtomic},
		{"RG-007", locationAORsAreIndependent},
		{"RG-046", locationNeverExpires},
		{"RG-049", locationExpires},
		{"T7", locationUnchanged},
		{"NoLostUpdate", locationNoLostUpdate},
		{"OwnsItsBytes", locationOwnsItsBytes},
		{"Tombstones", locationTombstones},
		{"TombstonesAreBounded", locationTombstonesAreBounded},
		{"Empty", locationEmpty},
		{"TooLarge", locationTooLarge},
		{"List", locationList},
		{"ListWhileChanging", locationListWhileChanging},
		{"ListBadCursor", locationListBadCursor},
		{"Stats", locationStats},
		{"DoneMayCallTheStore", locationDoneMayCallTheStore},
		{"Close", locationClose},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &locationStore{Store: open(t), t: t, now: time.Unix(1_800_000_000, 0)}
			t.Cleanup(func() { s.Close() })
			test.run(t, s)
		})
	}
}

// locationStore is a store under test, at a moment that the test sets.
type locationStore struct {
	location.Store
	t       *testing.T
	now     time.Time
	waiting []LocationDone // of changes that were begun
}

// LocationChange is a location.Change that is a function.
type LocationChange func(r *location.Record) (changed bool)

// Apply calls the function.
func (c LocationChange) Apply(r *location.Record) bool { return c(r) }

// LocationDone is a location.Done that hands what it is told to whoever receives from it. It must have room:
// make(LocationDone, 1).
type LocationDone chan error

// Done sends err.
func (d LocationDone) Done(err error) { d <- err }

// UpdateLocation makes a change and waits until it is durable or has failed.
func UpdateLocation(s location.Store, now time.Time, aor string, c LocationChange) error {
	done := make(LocationDone, 1)
	durable, err := s.Update(now, []byte(aor), c, done)
	if durable || err != nil {
		return err
	}
	return <-done
}

func (s *locationStore) update(aor string, c LocationChange) {
	s.t.Helper()
	if err := UpdateLocation(s.Store, s.now, aor, c); err != nil {
		s.t.Fatalf("Update %s: %v", aor, err)
	}
}

func (s *locationStore) add(aor string, b ...location.Binding) {
	s.t.Helper()
	s.update(aor, adding(b...))
}

// begin makes a change that settle waits for, so that many share what a store does to make them durable.
func (s *locationStore) begin(aor string, c LocationChange) {
	s.t.Helper()
	done := make(LocationDone, 1)
	durable, err := s.Update(s.now, []byte(aor), c, done)
	if err != nil {
		s.t.Fatalf("Update %s: %v", aor, err)
	}
	if !durable {
		s.waiting = append(s.waiting, done)
	}
}

func (s *locationStore) settle() {
	s.t.Helper()
	for _, done := range s.waiting {
		if err := <-done; err != nil {
			s.t.Errorf("Done: %v", err)
		}
	}
	s.waiting = s.waiting[:0]
}

// adding is a change that adds bindings.
func adding(b ...location.Binding) LocationChange {
	return func(r *location.Record) bool {
		r.Bindings = append(r.Bindings, b...)
		return true
	}
}

// view returns the bindings that View shows.
func (s *locationStore) view(aor string) []location.Binding {
	var r location.Record
	_, ok := s.View(s.now, []byte(aor), &r, nil)
	if ok != (len(r.Bindings) > 0) {
		s.t.Errorf("View %s: %v with %d bindings", aor, ok, len(r.Bindings))
	}
	return r.Bindings
}

// apply returns what a change of the AOR is given to see.
func (s *locationStore) apply(aor string) (seen []location.Binding) {
	s.t.Helper()
	s.update(aor, func(r *location.Record) bool {
		var copied location.Record
		if err := copied.Decode(r.Append(nil)); err != nil {
			s.t.Error(err)
		}
		seen = copied.Bindings
		return false
	})
	return seen
}

// list returns the AORs of all pages, each with its number of bindings.
func (s *locationStore) list(limit int, between func()) map[string]int {
	s.t.Helper()
	listed := map[string]int{}
	for cursor := ""; ; {
		page := 0
		next, err := s.List(s.now, cursor, limit, func(aor []byte, r *location.Record) {
			page++
			if _, twice := listed[string(aor)]; twice {
				s.t.Errorf("%s is listed twice", aor)
			}
			listed[string(aor)] = len(r.Bindings)
		})
		if err != nil {
			s.t.Fatalf("List at %q: %v", cursor, err)
		}
		if page > limit {
			s.t.Errorf("a page of %d, %d asked for", page, limit)
		}
		if cursor = next; cursor == "" {
			return listed
		}
		between()
	}
}

// LocationBinding returns a binding as a phone behind a NAT makes it, with everything set, for one hour from now.
func LocationBinding(now time.Time, i int) location.Binding {
	ms := now.UnixMilli()
	return location.Binding{
		Contact:   fmt.Appendf(nil, "sip:user%d@192.0.2.%d:5060;transport=udp;ob", i, i%250),
		Params:    []byte(`;+sip.ice`),
		Q:         500,
		HasQ:      true,
		Expires:   ms + 3_600_000,
		Writer:    location.Writer{CallID: fmt.Appendf(nil, "a84b4c76e66710%d@192.0.2.1", i), CSeq: uint32(i + 1), Branch: uint64(i) * 0x9e3779b97f4a7c15},
		Before:    location.Writer{CallID: []byte("843817637684230@998sdasdh09"), CSeq: 1826, Branch: 7},
		Granted:   3600,
		Path:      []byte("<sip:edge.example.com;lr>"),
		Instance:  fmt.Appendf(nil, "<urn:uuid:00000000-0000-1000-8000-%012x>", i),
		RegID:     1,
		Flow:      sip.Flow{Transport: sip.TCP, Local: netip.MustParseAddrPort("[2001:db8::9]:5060"), Remote: netip.MustParseAddrPort("198.51.100.7:40000"), Serial: uint64(i)},
		UserAgent: []byte("Example Phone 1.2"),
		Created:   ms - 1000,
		Updated:   ms,
	}
}

func locationKeepsBindings(t *testing.T, s *locationStore) {
	first, second := LocationBinding(s.now, 1), LocationBinding(s.now, 2)
	second.HasQ, second.Q = false, 1000
	second.Before, second.Path, second.Flow = location.Writer{}, nil, sip.Flow{}
	want := []location.Binding{first, second}
	s.add("bob@biloxi.example.com", want...)
	if got := s.view("bob@biloxi.example.com"); !reflect.DeepEqual(got, want) {
		t.Errorf("View: %+v\nwant %+v", got, want)
	}
	if got := s.apply("bob@biloxi.example.com"); !reflect.DeepEqual(got, want) {
		t.Errorf("Apply was given %+v\nwant %+v", got, want)
	}
}

func locationKeysAreBytes(t *testing.T, s *locationStore) {
	s.add("bob@biloxi.example.com", LocationBinding(s.now, 1))
	s.add("Bob@biloxi.example.com", LocationBinding(s.now, 2), LocationBinding(s.now, 3))
	if a, b := s.view("bob@biloxi.example.com"), s.view("Bob@biloxi.example.com"); len(a) != 1 || len(b) != 2 {
		t.Errorf("bob has %d bindings and Bob %d, want 1 and 2", len(a), len(b))
	}
	if got := s.view("bo"); got != nil {
		t.Errorf("bo has %v", got)
	}
}

// locationChangeIsAtomic: two contacts that are always changed together are never seen apart.
func locationChangeIsAtomic(t *testing.T, s *locationStore) {
	const rounds = 200
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range rounds {
			err := UpdateLocation(s.Store, s.now, "bob@h", func(r *location.Record) bool {
				b := LocationBinding(s.now, i)
				r.Bindings = append(r.Bindings[:0], b, b)
				return true
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	stop := make(chan struct{})
	go func() { writing.Wait(); close(stop) }()
	for done := false; !done; {
		select {
		case <-stop:
			done = true
		default:
		}
		if got := s.view("bob@h"); len(got) != 0 && (len(got) != 2 || !bytes.Equal(got[0].Contact, got[1].Contact)) {
			t.Fatalf("View saw half of a change: %+v", got)
		}
	}
}

func locationAORsAreIndependent(t *testing.T, s *locationStore) {
	const phones = 100
	var all sync.WaitGroup
	for i := range phones {
		all.Go(func() {
			err := UpdateLocation(s.Store, s.now, fmt.Sprintf("user%d@h", i), func(r *location.Record) bool {
				r.Bindings = append(r.Bindings, LocationBinding(s.now, i))
				return i%2 == 0
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range phones {
		if got := s.view(fmt.Sprintf("user%d@h", i)); len(got) != (i+1)%2 {
			t.Errorf("user%d has %d bindings", i, len(got))
		}
	}
}

func locationNeverExpires(t *testing.T, s *locationStore) {
	b := LocationBinding(s.now, 1)
	b.Expires, b.Contact = location.Never, []byte("mailto:bob@biloxi.example.com")
	s.add("bob@h", b)
	s.now = s.now.Add(100 * 365 * 24 * time.Hour)
	if got := s.view("bob@h"); len(got) != 1 || got[0].Expires != location.Never {
		t.Errorf("after a hundred years: %+v", got)
	}
}

func locationExpires(t *testing.T, s *locationStore) {
	short, long := LocationBinding(s.now, 1), LocationBinding(s.now, 2)
	short.Expires = s.now.UnixMilli() + 2500
	s.add("bob@h", short, long)
	s.add("eve@h", short)
	s.now = s.now.Add(2499 * time.Millisecond)
	if got := s.view("bob@h"); len(got) != 2 {
		t.Errorf("a millisecond before: %d bindings", len(got))
	}
	s.now = s.now.Add(time.Millisecond)
	if got := s.view("bob@h"); len(got) != 1 || !bytes.Equal(got[0].Contact, long.Contact) {
		t.Errorf("View at the moment: %+v", got)
	}
	if got := s.list(10, func() {}); !reflect.DeepEqual(got, map[string]int{"bob@h": 1}) {
		t.Errorf("List at the moment: %v", got)
	}
	if got := s.apply("bob@h"); len(got) != 1 {
		t.Errorf("Apply at the moment was given %d bindings", len(got))
	}
	if got := s.apply("eve@h"); len(got) != 0 {
		t.Errorf("Apply of an expired AOR was given %d bindings", len(got))
	}
	s.now = s.now.Add(time.Hour)
	if got := s.view("bob@h"); len(got) != 0 {
		t.Errorf("after an hour: %+v", got)
	}
}

// locationUnchanged: what a change does to the record counts for nothing if it says that it changed nothing.
func locationUnchanged(t *testing.T, s *locationStore) {
	s.add("bob@h", LocationBinding(s.now, 1))
	s.update("bob@h", func(r *location.Record) bool {
		r.Bindings = nil
		return false
	})
	if got := s.view("bob@h"); len(got) != 1 {
		t.Errorf("%d bindings after a query", len(got))
	}
	durable, err := s.Update(s.now, []byte("bob@h"), LocationChange(func(*location.Record) bool { return false }), LocationDone(nil))
	if !durable || err != nil {
		t.Errorf("a query of what is durable: %v, %v", durable, err)
	}
	s.update("nobody@h", func(r *location.Record) bool { return false })
	if got := s.list(10, func() {}); len(got) != 1 {
		t.Errorf("a query made an AOR: %v", got)
	}
}

func locationNoLostUpdate(t *testing.T, s *locationStore) {
	const writers, rounds = 16, 25
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range rounds {
				err := UpdateLocation(s.Store, s.now, "bob@h", func(r *location.Record) bool {
					if len(r.Bindings) == 0 {
						r.Bindings = append(r.Bindings, LocationBinding(s.now, 0))
						r.Bindings[0].Writer.CSeq = 0
					}
					r.Bindings[0].Writer.CSeq++
					return true
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := s.view("bob@h"); len(got) != 1 || got[0].Writer.CSeq != writers*rounds {
		t.Errorf("%d changes of one AOR left %+v", writers*rounds, got)
	}
}

// locationOwnsItsBytes: what is in the store is not what the caller goes on writing into.
func locationOwnsItsBytes(t *testing.T, s *locationStore) {
	aor := []byte("bob@h")
	b := LocationBinding(s.now, 1)
	want := bytes.Clone(b.Contact)
	done := make(LocationDone, 1)
	durable, err := s.Update(s.now, aor, LocationChange(func(r *location.Record) bool {
		r.Bindings = append(r.Bindings, b)
		return true
	}), done)
	if err != nil {
		t.Fatal(err)
	}
	copy(aor, "xxx")
	copy(b.Contact, "xxxxxxxxxx")
	if !durable {
		err = <-done
	}
	if got := s.view("bob@h"); err != nil || len(got) != 1 || !bytes.Equal(got[0].Contact, want) {
		t.Errorf("View: %+v, %v", got, err)
	}
	var r location.Record
	buf, _ := s.View(s.now, []byte("bob@h"), &r, make([]byte, 0, 4096))
	clear(buf)
	if got := s.view("bob@h"); len(got) != 1 || !bytes.Equal(got[0].Contact, want) {
		t.Errorf("View after the buffer of another was written: %+v", got)
	}
}

func locationTombstones(t *testing.T, s *locationStore) {
	grave := LocationBinding(s.now, 1)
	grave.Removed = true
	grave.Expires = s.now.Add(location.TombstoneLifetime).UnixMilli()
	s.add("bob@h", grave)
	if got := s.view("bob@h"); len(got) != 0 {
		t.Errorf("View shows a tombstone: %+v", got)
	}
	if got := s.list(10, func() {}); len(got) != 0 {
		t.Errorf("List shows a tombstone: %v", got)
	}
	s.now = s.now.Add(location.TombstoneLifetime - time.Millisecond)
	if got := s.apply("bob@h"); !reflect.DeepEqual(got, []location.Binding{grave}) {
		t.Errorf("Apply was given %+v", got)
	}
	s.now = s.now.Add(time.Millisecond)
	if got := s.apply("bob@h"); len(got) != 0 {
		t.Errorf("Apply was given a tombstone that may be forgotten: %+v", got)
	}
}

func locationTombstonesAreBounded(t *testing.T, s *locationStore) {
	live := LocationBinding(s.now, 0)
	s.add("bob@h", live)
	for i := range 2 * location.MaxTombstones {
		grave := LocationBinding(s.now, i)
		grave.Removed = true
		grave.Expires = s.now.UnixMilli() + 1000 + int64(i)
		s.add("bob@h", grave)
	}
	got := s.apply("bob@h")
	if len(got) != 1+location.MaxTombstones {
		t.Fatalf("%d bindings and tombstones are kept", len(got))
	}
	if got[0].Removed || !bytes.Equal(got[0].Contact, live.Contact) {
		t.Errorf("the live binding has become %+v", got[0])
	}
	if oldest := s.now.UnixMilli() + 1000 + location.MaxTombstones; got[1].Expires != oldest {
		t.Errorf("the oldest tombstone that is kept expires at %d, want %d", got[1].Expires, oldest)
	}
}

func locationEmpty(t *testing.T, s *locationStore) {
	s.add("bob@h", LocationBinding(s.now, 1))
	s.update("bob@h", func(r *location.Record) bool {
		r.Bindings = r.Bindings[:0]
		return true
	})
	s.update("eve@h", func(r *location.Record) bool { return true })
	if got := s.view("bob@h"); len(got) != 0 {
		t.Errorf("View: %+v", got)
	}
	if got := s.list(10, func() {}); len(got) != 0 {
		t.Errorf("List: %v", got)
	}
	s.add("bob@h", LocationBinding(s.now, 2))
	if got := s.view("bob@h"); len(got) != 1 {
		t.Errorf("View after a new binding: %+v", got)
	}
}

func locationTooLarge(t *testing.T, s *locationStore) {
	s.add("bob@h", LocationBinding(s.now, 1))
	for _, size := range []int{4 << 10, 64 << 10, location.MaxRecord} {
		err := UpdateLocation(s.Store, s.now, "bob@h", func(r *location.Record) bool {
			r.Bindings[0].Path = bytes.Repeat([]byte("p"), size)
			return true
		})
		got := s.view("bob@h")
		if len(got) != 1 {
			t.Fatalf("size %d: %d bindings", size, len(got))
		}
		if size < location.MaxRecord && (err != nil || len(got[0].Path) != size) {
			t.Errorf("size %d: %v, the Path has %d bytes", size, err, len(got[0].Path))
		}
		if size == location.MaxRecord && (!errors.Is(err, location.ErrTooLarge) || len(got[0].Path) == size) {
			t.Errorf("size %d: %v, the Path has %d bytes", size, err, len(got[0].Path))
		}
	}
	long := string(bytes.Repeat([]byte("a"), location.MaxAOR+1))
	err := UpdateLocation(s.Store, s.now, long, func(*location.Record) bool { return true })
	if !errors.Is(err, location.ErrTooLarge) {
		t.Errorf("an AOR of %d bytes: %v", len(long), err)
	}
}

func locationList(t *testing.T, s *locationStore) {
	const aors = 1000
	want := map[string]int{}
	for i := range aors {
		aor := fmt.Sprintf("user%d@h", i)
		b := LocationBinding(s.now, i)
		want[aor] = 1 + i%3
		s.begin(aor, adding([]location.Binding{b, b, b}[:want[aor]]...))
	}
	s.settle()
	for _, limit := range []int{1, 7, 100, aors, location.MaxPage} {
		if got := s.list(limit, func() {}); !reflect.DeepEqual(got, want) {
			t.Errorf("pages of %d list %d AORs, want %d", limit, len(got), len(want))
		}
	}
	for _, limit := range []int{0, -1, location.MaxPage + 1} {
		n := 0
		if _, err := s.List(s.now, "", limit, func([]byte, *location.Record) { n++ }); err != nil || n != aors {
			t.Errorf("limit %d: %d AORs, %v", limit, n, err)
		}
	}
}

// locationListWhileChanging: AORs that stay are listed once, though others come and go and all are refreshed.
func locationListWhileChanging(t *testing.T, s *locationStore) {
	const stay, churn = 300, 50
	for i := range stay {
		s.begin(fmt.Sprintf("stays%d@h", i), adding(LocationBinding(s.now, i)))
	}
	s.settle()
	round := 0
	got := s.list(17, func() {
		for i := range churn {
			s.begin(fmt.Sprintf("comes%d-%d@h", round, i), adding(LocationBinding(s.now, i)))
			if round > 0 {
				s.begin(fmt.Sprintf("comes%d-%d@h", round-1, i), func(r *location.Record) bool {
					r.Bindings = r.Bindings[:0]
					return true
				})
			}
			s.begin(fmt.Sprintf("stays%d@h", (round*churn+i)%stay), func(r *location.Record) bool {
				r.Bindings[0].UserAgent = bytes.Repeat([]byte("x"), round%50)
				return true
			})
		}
		s.settle()
		s.now = s.now.Add(time.Second)
		round++
	})
	for i := range stay {
		if aor := fmt.Sprintf("stays%d@h", i); got[aor] != 1 {
			t.Errorf("%s was there all the time and is not listed", aor)
		}
	}
}

func locationListBadCursor(t *testing.T, s *locationStore) {
	s.add("bob@h", LocationBinding(s.now, 1))
	for _, cursor := range []string{"x", "0", "00000000.0.0.0.0", "'; DROP TABLE location", "ffffffff.ffffffff.ffffffff"} {
		_, err := s.List(s.now, cursor, 10, func([]byte, *location.Record) { t.Errorf("cursor %q lists something", cursor) })
		if !errors.Is(err, location.ErrCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func locationStats(t *testing.T, s *locationStore) {
	grave := LocationBinding(s.now, 9)
	grave.Removed = true
	s.add("bob@h", LocationBinding(s.now, 1), LocationBinding(s.now, 2), grave)
	s.add("eve@h", LocationBinding(s.now, 1))
	s.add("gone@h", grave)
	if st := s.Stats(); st.AORs != 2 || st.Bindings != 3 || st.Pending != 0 || st.Bytes <= 0 {
		t.Errorf("Stats: %+v, want 2 AORs with 3 bindings", st)
	}
	s.update("eve@h", func(r *location.Record) bool {
		r.Bindings[0] = grave
		return true
	})
	if st := s.Stats(); st.AORs != 1 || st.Bindings != 2 {
		t.Errorf("Stats: %+v, want 1 AOR with 2 bindings", st)
	}
}

// chainedDone makes the next change from inside Done.
type chainedDone struct {
	s    *locationStore
	left int
	end  chan error
}

func (d *chainedDone) Done(err error) {
	if err != nil || d.left == 0 {
		d.end <- err
		return
	}
	d.left--
	if got := len(d.s.view("bob@h")); got == 0 {
		d.s.t.Error("View does not show what Done was told of")
	}
	d.change()
}

func (d *chainedDone) change() {
	durable, err := d.s.Update(d.s.now, []byte("bob@h"), LocationChange(func(r *location.Record) bool {
		r.Bindings = append(r.Bindings[:0], LocationBinding(d.s.now, d.left))
		return true
	}), d)
	if durable || err != nil {
		d.end <- err
	}
}

func locationDoneMayCallTheStore(t *testing.T, s *locationStore) {
	d := &chainedDone{s: s, left: 3, end: make(chan error, 1)}
	d.change()
	if err := <-d.end; err != nil {
		t.Error(err)
	}
}

func locationClose(t *testing.T, s *locationStore) {
	s.add("bob@h", LocationBinding(s.now, 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := UpdateLocation(s.Store, s.now, "bob@h", func(*location.Record) bool { return true })
	if !errors.Is(err, location.ErrUnavailable) {
		t.Errorf("Update of a closed store: %v", err)
	}
	if got := s.view("bob@h"); len(got) != 0 {
		t.Errorf("View of a closed store: %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}
