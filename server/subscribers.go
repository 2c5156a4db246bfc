package server

import (
	"context"
	"iter"

	"biloxi/subscriber"
)

// liveSubscribers is the store of subscribers with the memory that requests are checked against: a change
// is in both when its call returns.
type liveSubscribers struct {
	subscriber.Store
	cache *subscriber.Cache
}

// Add implements subscriber.Store.
func (l liveSubscribers) Add(ctx context.Context, s subscriber.Subscriber) error {
	err := l.Store.Add(ctx, s)
	if err == nil {
		l.cache.Put(s)
	}
	return err
}

// Put implements subscriber.Store.
func (l liveSubscribers) Put(ctx context.Context, s subscriber.Subscriber) error {
	err := l.Store.Put(ctx, s)
	if err == nil {
		l.cache.Put(s)
	}
	return err
}

// Remove implements subscriber.Store.
func (l liveSubscribers) Remove(ctx context.Context, user, domain string) error {
	err := l.Store.Remove(ctx, user, domain)
	if err == nil {
		l.cache.Remove(user, domain)
	}
	return err
}

// Import implements subscriber.Store. Each subscriber is in memory a moment before it is on disk; if the
// store fails, the memory is read from it again.
func (l liveSubscribers) Import(ctx context.Context, all iter.Seq2[subscriber.Subscriber, error]) (int, error) {
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
	if err != nil {
		if reload := l.cache.Load(context.WithoutCancel(ctx), l.Store); reload != nil {
			return n, reload
		}
	}
	return n, err
}
