package subscriber

import (
	"context"
	"errors"
	"iter"
)

// Errors of a Store. They are wrapped; errors.Is finds them.
var (
	ErrExists   = errors.New("subscriber exists already")
	ErrNotFound = errors.New("no such subscriber")
	ErrInvalid  = errors.New("invalid subscriber") // see Subscriber.Validate
	ErrCursor   = errors.New("not a cursor of this list")
)

// Store keeps subscribers durably. It is for many goroutines, and a change is on disk when its method
// returns nil. A subscriber that Validate refuses is refused with ErrInvalid.
type Store interface {
	// Add stores a new subscriber; ErrExists if it is there.
	Add(ctx context.Context, s Subscriber) error

	// Put stores a subscriber, new or over what is there.
	Put(ctx context.Context, s Subscriber) error

	// Remove deletes a subscriber; ErrNotFound if it is not there.
	Remove(ctx context.Context, user, domain string) error

	// Find returns a subscriber; ErrNotFound if it is not there.
	Find(ctx context.Context, user, domain string) (Subscriber, error)

	// List returns up to limit subscribers behind a cursor in the order of domain and user, and the
	// cursor of the next page. The first cursor and the one behind the last page are empty. Subscribers
	// that stay are listed once, whatever changes between pages. A limit below 1 is 1.
	List(ctx context.Context, after string, limit int) (page []Subscriber, next string, err error)

	// Import puts all of a sequence, in transactions of many. At an error, of the sequence or its own, it
	// stops; what it counted in n before that is stored.
	Import(ctx context.Context, seq iter.Seq2[Subscriber, error]) (n int, err error)

	// All calls fn for each subscriber, until fn returns an error, which it returns. Created and Changed are
	// left out: it is what a start waits for, to fill a Cache.
	All(ctx context.Context, fn func(Subscriber) error) error

	// Close closes the store. No other method may be called afterwards.
	Close() error
}
