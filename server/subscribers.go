package server

import (
	"context"
	"iter"
	"sync"

	"biloxi/subscriber"
)

// liveSubscribers is the store of subscribers with the memory that requests are checked against: a change
// is in both when its call returns.
type liveSubscribers struct {
	subscriber.Store
	cache *subscriber.Cache

	mu      sync.Mutex // held for a change in both, so that they see changes in one order
	changes int        // made so far; an import is one when it begins and one when it ends
}

// Add implements subscriber.Store.
func (l *liveSubscribers) Add(ctx context.Context, s subscriber.Subscriber) error {
	return l.change(func() error { return l.Store.Add(ctx, s) }, func() { l.cache.Put(s) })
}

// Put implements subscriber.Store.
func (l *liveSubscribers) Put(ctx context.Context, s subscriber.Subscriber) error {
	return l.change(func() error { return l.Store.Put(ctx, s) }, func() { l.cache.Put(s) })
}

// Remove implements subscriber.Store.
func (l *liveSubscribers) Remove(ctx context.Context, user, domain string) error {
	return l.change(func() error { return l.Store.Remove(ctx, user, domain) }, func() { l.cache.Remove(user, domain) })
}

// change makes a change in the store and, if it takes it, in memory.
func (l *liveSubscribers) change(store func() error, remember func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	err := store()
	if err == nil {
		remember()
	}
	return err
}

// Import implements subscriber.Store. Each subscriber is in memory a moment before it is on disk; if the
// store fails, or somebody else made a change meanwhile, the memory is read from it again. Other changes do
// not wait: an import takes as long as its file takes to come.
func (l *liveSubscribers) Import(ctx context.Context, all iter.Seq2[subscriber.Subscriber, error]) (int, error) {
	before := l.count()
	n, err := l.Store.Import(ctx, func(yield func(subscriber.Subscriber, error) bool) {
		for s, err := range all {
			if err == nil {
				l.cache.Put(s)
			}
			if !yield(s, err) {
				return
			}
		}
	})
	if l.count() != before+1 || err != nil {
		if reload := l.cache.Load(context.WithoutCancel(ctx), l.Store); reload != nil {
			return n, reload
		}
	}
	return n, err
}

// count counts one change more.
func (l *liveSubscribers) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changes++
	return l.changes
}
