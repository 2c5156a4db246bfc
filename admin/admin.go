package admin

import (
	"context"
	"io"
	"time"
)

// Admin is what an administrator can ask. An AOR may be written with its scheme or without, and with an
// alias of its domain. Errors are [Error] if they are the request's fault or the server's answer.
type Admin interface {
	// AddSubscriber makes a subscriber. It is an error if there is one of that AOR.
	AddSubscriber(ctx context.Context, aor, password string) (Subscriber, error)
	// SetPassword gives a subscriber another password. Nonces in use stay good until they expire.
	SetPassword(ctx context.Context, aor, password string) (Subscriber, error)
	// RemoveSubscriber removes a subscriber and all that is registered for it.
	RemoveSubscriber(ctx context.Context, aor string) error
	// FindSubscriber returns one.
	FindSubscriber(ctx context.Context, aor string) (Subscriber, error)
	// ListSubscribers returns a page of them in order; after is the Next of the page before, "" for the first.
	// A limit of 0 is [MaxPage].
	ListSubscribers(ctx context.Context, after string, limit int) (SubscriberPage, error)
	// Import adds or replaces the subscribers of a CSV file. Bad lines are told to watch, and passed over.
	// It calls watch, which may not be nil, now and then as it goes, on one goroutine at a time.
	Import(ctx context.Context, csv io.Reader, watch func(Progress)) (Progress, error)

	// FindLocation returns what is registered for one AOR. It is an error if that is nothing.
	FindLocation(ctx context.Context, aor string) (Location, error)
	// ListLocations returns a page of all that is registered, in no order; cursor is the Next of the page
	// before, "" for the first. A limit of 0 is [MaxPage].
	ListLocations(ctx context.Context, cursor string, limit int) (LocationPage, error)
	// RemoveLocation removes one contact of an AOR, or all of them if contact is empty, and returns how
	// many it removed. A phone that registers again is there again.
	RemoveLocation(ctx context.Context, aor, contact string) (int, error)

	// ListDefence returns who guesses, the worst first, and what administrators say of sources. A limit of 0 is
	// [MaxPage].
	ListDefence(ctx context.Context, limit int) (Defence, error)
	// SetDefenceRule allows or denies a source, an IP address or a network, for a while or, with 0, for good. It is
	// in force, and on disk, when the call returns.
	SetDefenceRule(ctx context.Context, action, source string, lasts time.Duration) (DefenceRule, error)
	// ForgetDefence forgets what was counted of a source, of an AOR or, with "", of all; with a source its rules too.
	// It is an error if that is nothing, but for "".
	ForgetDefence(ctx context.Context, what string) (Forgotten, error)

	// Status says how a running server does.
	Status(ctx context.Context) (Status, error)
	// Reload makes a running server read its configuration and certificates again: all of it, or nothing
	// and an error.
	Reload(ctx context.Context) error
}

// Subscriber is who may register. Passwords are not kept, so none is here.
type Subscriber struct {
	AOR        string    `json:"aor"` // sip:user@domain
	Realm      string    `json:"realm"`
	Usernames  []string  `json:"usernames"`  // that the subscriber's digests are for: the user, and user@domain
	Algorithms []string  `json:"algorithms"` // that the subscriber can authenticate with
	Created    time.Time `json:"created"`
	Changed    time.Time `json:"changed"`
}

// SubscriberPage is some subscribers, and where the next ones begin.
type SubscriberPage struct {
	Subscribers []Subscriber `json:"subscribers"`
	Next        string       `json:"next,omitempty"` // empty at the end
}

// Progress says how far an import is. The last one is its result.
type Progress struct {
	Imported int    `json:"imported"`          // subscribers read; of the result, stored
	Bad      int    `json:"bad"`               // lines that are no subscriber
	Problem  string `json:"problem,omitempty"` // a bad line, by its number, and what is wrong with it
}

// Location is one AOR and its bindings.
type Location struct {
	AOR      string    `json:"aor"`
	Bindings []Binding `json:"bindings"`
}

// Binding is one contact that is registered.
type Binding struct {
	Contact   string     `json:"contact"`
	Expires   *time.Time `json:"expires"`    // null: never
	ExpiresIn *int64     `json:"expires_in"` // seconds; null: never
	Q         float64    `json:"q"`          // 1 if the phone gave none
	Params    string     `json:"params,omitempty"`
	Path      string     `json:"path,omitempty"`
	Instance  string     `json:"instance,omitempty"`
	RegID     uint32     `json:"reg_id,omitempty"`
	CallID    string     `json:"call_id"`
	CSeq      uint32     `json:"cseq"`
	Transport string     `json:"transport"` // that the REGISTER came over, in lower case
	Remote    string     `json:"remote"`    // address that it came from
	Local     string     `json:"local"`     // address of ours that it came to
	Reachable bool       `json:"reachable"` // false: it came over a connection that has closed, and the phone has not come back
	UserAgent string     `json:"user_agent,omitempty"`
	Created   time.Time  `json:"created"`
	Updated   time.Time  `json:"updated"`
}

// LocationPage is some AORs, and where the next ones begin.
type LocationPage struct {
	Locations []Location `json:"locations"`
	Next      string     `json:"next,omitempty"` // empty at the end
}

// Status is how a running server does.
type Status struct {
	Version     string    `json:"version"`
	PID         int       `json:"pid"`
	Started     time.Time `json:"started"`
	Data        string    `json:"data"`
	Domains     []string  `json:"domains"`
	Listeners   []string  `json:"listeners"` // "udp 127.0.0.1:5060"
	Subscribers int       `json:"subscribers"`
	AORs        int       `json:"aors"` // with a binding
	Bindings    int       `json:"bindings"`
	Reachable   int       `json:"reachable"` // bindings but for those whose connection has closed
	Bytes       int64     `json:"bytes"`     // memory for them
	Pending     int       `json:"pending"`   // changes that wait for the disk

	Connections  map[string]uint64 `json:"connections"`  // open now, by transport in lower case
	Transactions Transactions      `json:"transactions"` // held now
	Lookups      int               `json:"lookups"`      // that wait for DNS
	Resting      int               `json:"resting"`      // next hops that failed lately and are passed over

	Counters []Counter `json:"counters"`
}

// Transactions are what a server holds of requests that it forwards.
type Transactions struct {
	Servers int   `json:"servers"` // requests that came
	Clients int   `json:"clients"` // requests that were sent
	Bytes   int64 `json:"bytes"`   // of messages that they keep
}

// Counter is something that a server counts since its start.
type Counter struct {
	Name      string `json:"name"`
	Transport string `json:"transport,omitempty"` // in lower case; empty: of all
	Reason    string `json:"reason,omitempty"`
	Value     uint64 `json:"value"`
}
