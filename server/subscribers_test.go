package server

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"

	"biloxi/subscriber"
)

// slowStore is a store of one subscriber: who has changed it gets to know some time later.
type slowStore struct {
	subscriber.Store // nil: nothing else is called
	mu               sync.Mutex
	now              *subscriber.Subscriber
}

func (s *slowStore) set(sub *subscriber.Subscriber) error {
	s.mu.Lock()
	s.now = sub
	s.mu.Unlock()
	runtime.Gosched()
	return nil
}

func (s *slowStore) Put(_ context.Context, sub subscriber.Subscriber) error { return s.set(&sub) }
func (s *slowStore) Remove(context.Context, string, string) error           { return s.set(nil) }

func (s *slowStore) Import(_ context.Context, all iter.Seq2[subscriber.Subscriber, error]) (n int, err error) {
	for sub := range all {
		runtime.Gosched()
		n, err = n+1, s.set(&sub)
	}
	return n, err
}

func (s *slowStore) All(_ context.Context, fn func(subscriber.Subscriber) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return nil
	}
	return fn(*s.now)
}

// TestSubscribersAtOnce: however administrators get into each other's way, what requests are checked against is what
// is stored: no removed subscriber, no password of before.
func TestSubscribersAtOnce(t *testing.T) {
	d := testConfig(t).Domains[0]
	bob := func(password int) subscriber.Subscriber {
		s := subscriberOf("bob", d)
		copy(s.HA1s.MD5[:], fmt.Sprintf("%016d", password))
		return s
	}
	for round := range 200 {
		store := &slowStore{}
		l := &liveSubscribers{Store: store, cache: subscriber.NewCache()}
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				switch i % 4 {
				case 0:
					l.Remove(t.Context(), "bob", d.Name)
				case 1:
					l.Import(t.Context(), func(yield func(subscriber.Subscriber, error) bool) { yield(bob(i), nil) })
				default:
					l.Put(t.Context(), bob(i))
				}
			})
		}
		all.Wait()
		have, ok := l.cache.Lookup([]byte("bob"), []byte(d.Name))
		switch {
		case ok != (store.now != nil):
			t.Fatalf("round %d: in memory %v, stored %v", round, ok, store.now != nil)
		case ok && have != store.now.HA1s:
			t.Fatalf("round %d: password %s in memory, %s stored", round, have.MD5, store.now.HA1s.MD5)
		}
	}
}
