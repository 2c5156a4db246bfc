package location

import (
	"errors"
	"time"
)

// Errors of a Store. A request that meets ErrUnavailable or ErrOverload is answered 503 with Retry-After: it
// has changed nothing.
var (
	// ErrUnavailable says that the store cannot keep changes at the moment: its disk, or its server, fails.
	ErrUnavailable = errors.New("location: the store is unavailable")

	// ErrOverload says that more changes wait for the store than it takes.
	ErrOverload = errors.New("location: the store is overloaded")

	// ErrTooLarge says that the AOR's key is longer than MaxAOR, or that its record would be larger than
	// MaxRecord.
	ErrTooLarge = errors.New("location: the record is too large")

	// ErrCursor says that a cursor is not one that this store gave since it was opened.
	ErrCursor = errors.New("location: the cursor is not of this store since its start; list from the beginning")
)

// Change computes the next state of an AOR. The store calls Apply with the AOR locked, before Update returns;
// it may call it again with another state (compare-and-set). What has expired is not in r, tombstones are.
//
// Apply edits r in place: it may replace slices with its own, which must hold until Update returns, and never
// writes into those it finds. It says whether r changed. It must not call the store.
type Change interface {
	Apply(r *Record) (changed bool)
}

// Done is told how a change ended: exactly once, on a goroutine of the store, with nil when the change is
// durable and View shows it, or with ErrUnavailable when it was rolled back. It must not block. It may
// call the store, but not close it.
type Done interface {
	Done(err error)
}

// Store keeps one Record per AOR. Its methods may be called from any goroutine. It keeps none of the slices
// that it is given.
//
// There is no read-then-write: a change is a function that the store runs with the AOR locked, all of it or
// none (RFC 3261 §10.3).
type Store interface {
	// Update makes the change c. Of a record over MaxTombstones it drops the oldest tombstones.
	//
	// With durable true, what c saw and did is as durable as this store makes it; done is not called.
	// With durable false and no error, done is called later. With an error nothing has changed, and done
	// is not called. A record that c left unchanged, but whose last change is not durable yet, waits for
	// that change too, so that the answer to a retransmission is never a lie.
	Update(now time.Time, aor []byte, c Change, done Done) (durable bool, err error)

	// View copies the bindings of the AOR that are live at now, without tombstones, into r, whose slices
	// then point into the returned buffer, which is buf, overwritten and grown if need be. It reports
	// whether there is any. It shows what is durable: a change on its way is seen when its Done is told.
	View(now time.Time, aor []byte, r *Record, buf []byte) ([]byte, bool)

	// List calls fn for a page of the AORs with a live binding, in no particular order, and returns the
	// cursor of the next page, "" after the last; the first page is at cursor "". A page is of limit AORs,
	// of MaxPage if limit is less than 1 or more than that. An AOR that is there all the time is listed
	// once, whatever else changes meanwhile. What fn gets is valid during the call only; fn may call the
	// store. The error is ErrCursor, or the store's.
	List(now time.Time, cursor string, limit int, fn func(aor []byte, r *Record)) (next string, err error)

	// Stats says how much the store holds. Expired bindings may count for a moment.
	Stats() Stats

	// Close waits until what was taken is durable, or has failed, and frees the store. Then Update gives
	// ErrUnavailable, and View and List find nothing.
	Close() error
}

// Stats is how much a store holds.
type Stats struct {
	AORs     int   // with at least one binding
	Bindings int   // without tombstones
	Bytes    int64 // memory for them, in bytes
	Records  int64 // of that, AORs and their encoded records
	Pending  int   // changes that are not durable yet
}
