package siptest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/subscriber"
)

// TestSubscriberStore is what every subscriber.Store must pass. open gives a new, empty store; the suite
// closes it.
func TestSubscriberStore(t *testing.T, open func(t *testing.T) subscriber.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, subscriber.Store)
	}{
		{"Add", subscriberAdd},
		{"Put", subscriberPut},
		{"Remove", subscriberRemove},
		{"NamesAreExact", subscriberNamesAreExact},
		{"Invalid", subscriberInvalid},
		{"Times", subscriberTimes},
		{"List", subscriberList},
		{"ListWhileChanging", subscriberListWhileChanging},
		{"ListBadCursor", subscriberListBadCursor},
		{"Import", subscriberImport},
		{"ImportStopsAtError", subscriberImportStopsAtError},
		{"All", subscriberAll},
		{"CacheFollows", subscriberCacheFollows},
		{"Concurrent", subscriberConcurrent},
		{"Canceled", subscriberCanceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			test.run(t, s)
		})
	}
}

// NewSubscriber returns a valid subscriber of a domain, with hashes that no other user has, for the
// algorithms of has (bit 1<<algorithm).
func NewSubscriber(user, domain string, has uint8) subscriber.Subscriber {
	s := subscriber.Subscriber{User: user, Domain: domain, Realm: "realm of " + domain}
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		if has&(1<<a) != 0 {
			s.HA1s.Set(a, fmt.Appendf(nil, "%-32.32s", a.String()+user+domain))
			s.AtDomain.Set(a, fmt.Appendf(nil, "%-32.32s", a.String()+"@"+user+domain))
		}
	}
	return s
}

const (
	hasMD5  = 1 << sip.MD5
	hasBoth = hasMD5 | 1<<sip.SHA256
	hasAll  = hasBoth | 1<<sip.SHA512_256
)

// sameSubscriber compares all but the times.
func sameSubscriber(a, b subscriber.Subscriber) bool {
	a.Created, a.Changed, b.Created, b.Changed = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return a == b
}

func mustPut(t *testing.T, s subscriber.Store, list ...subscriber.Subscriber) {
	t.Helper()
	for _, sub := range list {
		if err := s.Put(t.Context(), sub); err != nil {
			t.Fatalf("Put %s: %v", sub.AOR(), err)
		}
	}
}

func wantFound(t *testing.T, s subscriber.Store, want subscriber.Subscriber) {
	t.Helper()
	got, err := s.Find(t.Context(), want.User, want.Domain)
	if err != nil || !sameSubscriber(got, want) {
		t.Fatalf("Find %s: %+v, %v, want %+v", want.AOR(), got, err, want)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: %v, want %v", what, err, want)
	}
}

func subscriberAdd(t *testing.T, s subscriber.Store) {
	bob := NewSubscriber("bob", "biloxi.example.com", hasBoth)
	_, err := s.Find(t.Context(), bob.User, bob.Domain)
	wantErr(t, "Find in an empty store", err, subscriber.ErrNotFound)
	if err := s.Add(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	wantFound(t, s, bob)
	other := bob
	other.HA1s, other.AtDomain = subscriber.HA1s{Has: hasMD5}, subscriber.HA1s{}
	wantErr(t, "Add again", s.Add(t.Context(), other), subscriber.ErrExists)
	wantFound(t, s, bob)
}

func subscriberPut(t *testing.T, s subscriber.Store) {
	for _, has := range []uint8{hasMD5, hasAll, hasAll &^ hasMD5, hasMD5} {
		bob := NewSubscriber("bob", "biloxi.example.com", has)
		bob.Realm = fmt.Sprint("realm ", has)
		mustPut(t, s, bob)
		wantFound(t, s, bob)
	}
}

func subscriberRemove(t *testing.T, s subscriber.Store) {
	bob, alice := NewSubscriber("bob", "biloxi.example.com", hasAll), NewSubscriber("alice", "biloxi.example.com", hasAll)
	mustPut(t, s, bob, alice)
	if err := s.Remove(t.Context(), bob.User, bob.Domain); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "Remove again", s.Remove(t.Context(), bob.User, bob.Domain), subscriber.ErrNotFound)
	_, err := s.Find(t.Context(), bob.User, bob.Domain)
	wantErr(t, "Find", err, subscriber.ErrNotFound)
	wantFound(t, s, alice)
	if err := s.Add(t.Context(), bob); err != nil {
		t.Fatalf("Add after Remove: %v", err)
	}
}

// RFC 3261 §19.1.4: the case of a user counts, and no two users are one that are not the same bytes.
func subscriberNamesAreExact(t *testing.T, s subscriber.Store) {
	users := []string{"bob", "Bob", "bob.", `b"ob`, `b\ob`, "b'ob", "bob@work", "100%", "bo_", "bob;x", "jürgen", "ju\u0308rgen", "名前"}
	for _, domain := range []string{"a.example", "b.example", "127.0.0.1", "[::1]"} {
		for _, user := range users {
			if err := s.Add(t.Context(), NewSubscriber(user, domain, hasAll)); err != nil {
				t.Fatalf("Add %q at %s: %v", user, domain, err)
			}
		}
	}
	for _, user := range users {
		wantFound(t, s, NewSubscriber(user, "b.example", hasAll))
	}
}

func subscriberInvalid(t *testing.T, s subscriber.Store) {
	for _, bad := range []subscriber.Subscriber{
		NewSubscriber("", "a.example", hasMD5), NewSubscriber("a:b", "a.example", hasMD5), NewSubscriber("bob", "A.example", hasMD5),
		NewSubscriber("bob", "", hasMD5), NewSubscriber("bob", "a.example", 0),
	} {
		wantErr(t, "Add", s.Add(t.Context(), bad), subscriber.ErrInvalid)
		wantErr(t, "Put", s.Put(t.Context(), bad), subscriber.ErrInvalid)
		n, err := s.Import(t.Context(), subscribers(NewSubscriber("alice", "a.example", hasMD5), bad))
		wantErr(t, "Import", err, subscriber.ErrInvalid)
		if n != 1 {
			t.Errorf("imported %d before the invalid one, want 1", n)
		}
	}
	if page, _, err := s.List(t.Context(), "", 10); err != nil || len(page) != 1 {
		t.Errorf("%d stored, %v, want alice alone", len(page), err)
	}
}

func subscriberTimes(t *testing.T, s subscriber.Store) {
	begin := time.Now().Truncate(time.Millisecond)
	bob := NewSubscriber("bob", "a.example", hasMD5)
	bob.Created, bob.Changed = begin.Add(-time.Hour), begin.Add(-time.Hour)
	find := func() subscriber.Subscriber {
		got, err := s.Find(t.Context(), bob.User, bob.Domain)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if err := s.Add(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	added := find()
	if added.Created.Before(begin) || !added.Created.Equal(added.Changed) {
		t.Errorf("added at %v, created %v, changed %v", begin, added.Created, added.Changed)
	}
	for time.Now().Truncate(time.Millisecond).Equal(added.Changed.Truncate(time.Millisecond)) {
	}
	mustPut(t, s, bob)
	if changed := find(); !changed.Created.Equal(added.Created) || !changed.Changed.After(added.Changed) {
		t.Errorf("created %v then %v, changed %v then %v", added.Created, changed.Created, added.Changed, changed.Changed)
	}
}

func subscriberList(t *testing.T, s subscriber.Store) {
	if page, next, err := s.List(t.Context(), "", 10); len(page) != 0 || next != "" || err != nil {
		t.Fatalf("empty store: %v %q %v", page, next, err)
	}
	var want []string
	for _, domain := range []string{"a.example", "b.example"} {
		for i := range 10 {
			sub := NewSubscriber(fmt.Sprintf("user@%d", i), domain, hasMD5)
			mustPut(t, s, sub)
			want = append(want, sub.AOR())
		}
	}
	for _, limit := range []int{-1, 0, 1, 3, 10, 19, 20, 21, 1000} {
		got, pages := listAll(t, s, limit)
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
		if least := max(limit, 1); pages != (len(want)+least-1)/least {
			t.Errorf("limit %d: %d pages", limit, pages)
		}
	}
}

// listAll lists by page; every page but the last is full.
func listAll(t *testing.T, s subscriber.Store, limit int) (aors []string, pages int) {
	t.Helper()
	for cursor := ""; ; {
		page, next, err := s.List(t.Context(), cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > max(limit, 1) || next != "" && len(page) < max(limit, 1) {
			t.Errorf("a page of %d, limit %d", len(page), limit)
		}
		for i := range page {
			aors = append(aors, page[i].AOR())
		}
		if pages++; next == "" {
			return aors, pages
		}
		cursor = next
	}
}

func subscriberListWhileChanging(t *testing.T, s subscriber.Store) {
	for i := range 10 {
		mustPut(t, s, NewSubscriber(fmt.Sprint("stays", i), "a.example", hasMD5), NewSubscriber(fmt.Sprint("goes", i), "a.example", hasMD5))
	}
	seen := map[string]int{}
	removed := 0
	for cursor := ""; ; {
		page, next, err := s.List(t.Context(), cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range page {
			seen[sub.User]++
		}
		// The one that the cursor is made of may go, and new ones may come on either side of it.
		for _, user := range []string{page[len(page)-1].User, fmt.Sprint("goes", removed)} {
			if user[0] == 'g' {
				if err := s.Remove(t.Context(), user, "a.example"); err != nil && !errors.Is(err, subscriber.ErrNotFound) {
					t.Fatal(err)
				}
			}
		}
		removed++
		mustPut(t, s, NewSubscriber(fmt.Sprint("a", removed), "a.example", hasMD5))
		if cursor = next; cursor == "" {
			break
		}
	}
	for i := range 10 {
		if user := fmt.Sprint("stays", i); seen[user] != 1 {
			t.Errorf("%s listed %d times", user, seen[user])
		}
	}
}

func subscriberListBadCursor(t *testing.T, s subscriber.Store) {
	mustPut(t, s, NewSubscriber("bob", "a.example", hasMD5))
	_, _, err := s.List(t.Context(), "no cursor", 10)
	wantErr(t, "List", err, subscriber.ErrCursor)
}

// subscribers is a sequence without errors.
func subscribers(list ...subscriber.Subscriber) iter.Seq2[subscriber.Subscriber, error] {
	return func(yield func(subscriber.Subscriber, error) bool) {
		for _, s := range list {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// subscriberImport imports some thousands in no order, over what is there.
func subscriberImport(t *testing.T, s subscriber.Store) {
	const n = 3000
	old := NewSubscriber("user7", "a.example", hasMD5)
	mustPut(t, s, old, NewSubscriber("other", "a.example", hasMD5))
	before, err := s.Find(t.Context(), old.User, old.Domain)
	if err != nil {
		t.Fatal(err)
	}
	seq := func(yield func(subscriber.Subscriber, error) bool) {
		for i := range n {
			if !yield(NewSubscriber(fmt.Sprint("user", i*7919%n), "a.example", hasBoth), nil) {
				return
			}
		}
		twice := NewSubscriber("user9", "a.example", hasMD5)
		yield(twice, nil)
		twice = NewSubscriber("user9", "a.example", hasAll)
		yield(twice, nil)
	}
	got, err := s.Import(t.Context(), seq)
	if err != nil || got != n+2 {
		t.Fatalf("%d imported, %v", got, err)
	}
	wantFound(t, s, NewSubscriber("user7", "a.example", hasBoth))
	wantFound(t, s, NewSubscriber("user9", "a.example", hasAll))
	wantFound(t, s, NewSubscriber(fmt.Sprint("user", n-1), "a.example", hasBoth))
	after, err := s.Find(t.Context(), old.User, old.Domain)
	if err != nil || !after.Created.Equal(before.Created) {
		t.Errorf("created %v, then %v by the import, %v", before.Created, after.Created, err)
	}
	count := 0
	if err := s.All(t.Context(), func(subscriber.Subscriber) error { count++; return nil }); err != nil || count != n+1 {
		t.Errorf("%d stored, %v", count, err)
	}
	if got, err := s.Import(t.Context(), subscribers()); got != 0 || err != nil {
		t.Errorf("nothing imported: %d, %v", got, err)
	}
}

func subscriberImportStopsAtError(t *testing.T, s subscriber.Store) {
	broken := errors.New("broken")
	n, err := s.Import(t.Context(), func(yield func(subscriber.Subscriber, error) bool) {
		if yield(NewSubscriber("alice", "a.example", hasMD5), nil) && yield(subscriber.Subscriber{}, broken) {
			t.Error("the sequence went on after its error")
		}
	})
	wantErr(t, "Import", err, broken)
	if n != 1 {
		t.Errorf("%d imported, want 1", n)
	}
	wantFound(t, s, NewSubscriber("alice", "a.example", hasMD5))
}

func subscriberAll(t *testing.T, s subscriber.Store) {
	want := map[string]subscriber.Subscriber{}
	for i := range 50 {
		sub := NewSubscriber(fmt.Sprint("user", i), "a.example", uint8(i%7+1)<<1)
		mustPut(t, s, sub)
		want[sub.AOR()] = sub
	}
	if err := s.All(t.Context(), func(got subscriber.Subscriber) error {
		if !sameSubscriber(got, want[got.AOR()]) {
			t.Errorf("%+v, want %+v", got, want[got.AOR()])
		}
		delete(want, got.AOR())
		return nil
	}); err != nil || len(want) != 0 {
		t.Errorf("%d not seen, %v", len(want), err)
	}
	calls, enough := 0, errors.New("enough")
	err := s.All(t.Context(), func(subscriber.Subscriber) error { calls++; return enough })
	if err != enough || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func subscriberCacheFollows(t *testing.T, s subscriber.Store) {
	for i := range 100 {
		mustPut(t, s, NewSubscriber(fmt.Sprint("user", i), "a.example", uint8(i%7+1)<<1))
	}
	c := subscriber.NewCache()
	if err := c.Load(t.Context(), s); err != nil || c.Len() != 100 {
		t.Fatalf("%d loaded, %v", c.Len(), err)
	}
	for i := range 100 {
		want := NewSubscriber(fmt.Sprint("user", i), "a.example", uint8(i%7+1)<<1)
		if got, ok := c.Lookup([]byte(want.User), []byte(want.Domain)); !ok || got != want.HA1s {
			t.Errorf("%s: %v %v", want.AOR(), got, ok)
		}
		if got, ok := c.LookupAtDomain([]byte(want.User), []byte(want.Domain)); !ok || got != want.AtDomain {
			t.Errorf("%s, user@domain: %v %v", want.AOR(), got, ok)
		}
	}
	if d := c.Domains(); len(d) != 1 || d[0] != (subscriber.Domain{Name: "a.example", Realm: "realm of a.example"}) {
		t.Errorf("domains %v", d)
	}
}

// subscriberConcurrent has each of several writers add, change and remove its own, and one that all want.
func subscriberConcurrent(t *testing.T, s subscriber.Store) {
	const writers, rounds = 4, 10
	added := make(chan bool, writers)
	done := make(chan error, writers)
	for w := range writers {
		go func() {
			err := s.Add(t.Context(), NewSubscriber("shared", "a.example", hasMD5))
			added <- err == nil
			if errors.Is(err, subscriber.ErrExists) {
				err = nil
			}
			for i := 0; i < rounds && err == nil; i++ {
				mine := NewSubscriber(fmt.Sprint("user", w), "a.example", hasAll)
				if err = s.Add(t.Context(), mine); err == nil {
					err = s.Put(t.Context(), mine)
				}
				if err == nil {
					_, err = s.Find(t.Context(), mine.User, mine.Domain)
				}
				if err == nil && i < rounds-1 {
					err = s.Remove(t.Context(), mine.User, mine.Domain)
				}
			}
			done <- err
		}()
	}
	first := 0
	for range writers {
		if <-added {
			first++
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if first != 1 {
		t.Errorf("%d writers added one subscriber", first)
	}
	if aors, _ := listAll(t, s, 100); len(aors) != writers+1 {
		t.Errorf("%v", aors)
	}
}

func subscriberCanceled(t *testing.T, s subscriber.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	bob := NewSubscriber("bob", "a.example", hasMD5)
	wantErr(t, "Add", s.Add(ctx, bob), context.Canceled)
	_, err := s.Import(ctx, subscribers(bob))
	wantErr(t, "Import", err, context.Canceled)
	_, err = s.Find(t.Context(), bob.User, bob.Domain)
	wantErr(t, "Find", err, subscriber.ErrNotFound)
}
