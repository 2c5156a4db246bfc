package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"biloxi/config"
	"biloxi/location"
	"biloxi/sip"
	"biloxi/subscriber"
)

// Subscribers is where subscribers are kept. In a running server a change reaches its memory too, before
// the call returns.
type Subscribers interface {
	Add(ctx context.Context, s subscriber.Subscriber) error
	Put(ctx context.Context, s subscriber.Subscriber) error
	Remove(ctx context.Context, user, domain string) error
	Find(ctx context.Context, user, domain string) (subscriber.Subscriber, error)
	List(ctx context.Context, after string, limit int) (page []subscriber.Subscriber, next string, err error)
	Import(ctx context.Context, all iter.Seq2[subscriber.Subscriber, error]) (int, error)
}

// Locations is the location service, as far as it is needed here.
type Locations interface {
	Update(now time.Time, aor []byte, c location.Change, done location.Done) (durable bool, err error)
	View(now time.Time, aor []byte, r *location.Record, buf []byte) ([]byte, bool)
	List(now time.Time, cursor string, limit int, fn func(aor []byte, r *location.Record)) (next string, err error)
}

// Server is a running server. Its Reload is all or nothing.
type Server interface {
	Status() Status
	Reload() error
}

// Direct is an Admin that works on the stores themselves. Its fields are set once, before use.
type Direct struct {
	Domains     func() []config.Domain // those of the configuration in force
	Subscribers Subscribers
	Locations   func() (Locations, error) // opened when first asked for, if no server runs
	Flows       location.Flows            // the connections that are open; nil: no server runs, and none is
	Hash        func(username, realm, password string) subscriber.HA1s
	Server      Server // nil: no server runs
	Watch       Watch  // nil: no server runs
	Now         func() time.Time
}

var _ Admin = (*Direct)(nil)

// AddSubscriber implements Admin.
func (d *Direct) AddSubscriber(ctx context.Context, aor, password string) (Subscriber, error) {
	s, err := d.subscriber(aor, password)
	if err != nil {
		return Subscriber{}, err
	}
	s.Created = s.Changed
	if err := d.Subscribers.Add(ctx, s); err != nil {
		return Subscriber{}, d.explain(err, s.User, s.Domain)
	}
	return describe(s), nil
}

// SetPassword implements Admin.
func (d *Direct) SetPassword(ctx context.Context, aor, password string) (Subscriber, error) {
	s, err := d.subscriber(aor, password)
	if err != nil {
		return Subscriber{}, err
	}
	old, err := d.Subscribers.Find(ctx, s.User, s.Domain)
	if err != nil {
		return Subscriber{}, d.explain(err, s.User, s.Domain)
	}
	s.Created = old.Created
	if err := d.Subscribers.Put(ctx, s); err != nil {
		return Subscriber{}, d.explain(err, s.User, s.Domain)
	}
	return describe(s), nil
}

// RemoveSubscriber implements Admin.
func (d *Direct) RemoveSubscriber(ctx context.Context, aor string) error {
	user, domain, err := d.address(aor)
	if err != nil {
		return err
	}
	if err := d.Subscribers.Remove(ctx, user, domain.Name); err != nil {
		return d.explain(err, user, domain.Name)
	}
	if _, err := d.remove(ctx, user, domain.Name, nil); err != nil {
		return fmt.Errorf("%s is removed, but not what is registered for it: %w", formatAOR(user, domain.Name), err)
	}
	return nil
}

// FindSubscriber implements Admin.
func (d *Direct) FindSubscriber(ctx context.Context, aor string) (Subscriber, error) {
	user, domain, err := d.address(aor)
	if err != nil {
		return Subscriber{}, err
	}
	s, err := d.Subscribers.Find(ctx, user, domain.Name)
	if err != nil {
		return Subscriber{}, d.explain(err, user, domain.Name)
	}
	return describe(s), nil
}

// ListSubscribers implements Admin.
func (d *Direct) ListSubscribers(ctx context.Context, after string, limit int) (SubscriberPage, error) {
	list, next, err := d.Subscribers.List(ctx, after, pageSize(limit))
	if err != nil {
		return SubscriberPage{}, err
	}
	page := SubscriberPage{Subscribers: make([]Subscriber, len(list)), Next: next}
	for i, s := range list {
		page.Subscribers[i] = describe(s)
	}
	return page, nil
}

// Import implements Admin.
func (d *Direct) Import(ctx context.Context, csv io.Reader, watch func(Progress)) (Progress, error) {
	var now Progress
	lines := subscriber.CSV{
		Domain: func(host string) (subscriber.Domain, bool) {
			domain, ok := d.domain(host)
			return subscriber.Domain{Name: domain.Name, Realm: domain.Realm}, ok
		},
		Hash: d.Hash,
	}.Read(csv)
	good := subscriber.Good(lines, func(bad *subscriber.LineError) {
		if now.Bad++; now.Bad <= maxProblems {
			watch(Progress{now.Imported, now.Bad, bad.Error()})
		}
	})
	n, err := d.Subscribers.Import(ctx, func(yield func(subscriber.Subscriber, error) bool) {
		for s, err := range good {
			if !yield(s, err) {
				return
			}
			if now.Imported++; now.Imported%progressEvery == 0 {
				watch(now)
			}
		}
	})
	now.Imported = n
	return now, err
}

// subscriber makes a subscriber with the HA1s of its password.
func (d *Direct) subscriber(aor, password string) (subscriber.Subscriber, error) {
	user, domain, err := d.address(aor)
	if err != nil {
		return subscriber.Subscriber{}, err
	}
	if password == "" || strings.ContainsAny(password, "\x00\r\n") {
		return subscriber.Subscriber{}, errorf(http.StatusBadRequest, "a password is one line of text that is not empty")
	}
	return subscriber.Subscriber{
		User: user, Domain: domain.Name, Realm: domain.Realm,
		HA1s:     d.Hash(user, domain.Realm, password),
		AtDomain: d.Hash(subscriber.AtDomain(user, domain.Name), domain.Realm, password),
		Changed:  d.Now(),
	}, nil
}

// address finds out whose AOR it is.
func (d *Direct) address(aor string) (user string, domain config.Domain, err error) {
	user, host, err := subscriber.ParseAOR(aor)
	if err != nil {
		return "", domain, errorf(http.StatusBadRequest, "%v", err)
	}
	domain, ok := d.domain(host)
	if !ok {
		names := make([]string, 0, 1)
		for _, one := range d.Domains() {
			names = append(names, one.Name)
		}
		return "", domain, errorf(http.StatusBadRequest, "%s is no domain of this configuration, which has %s", host, strings.Join(names, ", "))
	}
	return user, domain, nil
}

// domain finds the domain that a host stands for.
func (d *Direct) domain(host string) (config.Domain, bool) {
	for _, one := range d.Domains() {
		if one.Name == host || slices.Contains(one.Aliases, host) {
			return one, true
		}
	}
	return config.Domain{}, false
}

// explain puts the subscriber's name into the errors of its store.
func (d *Direct) explain(err error, user, domain string) error {
	switch {
	case errors.Is(err, subscriber.ErrNotFound):
		return errorf(http.StatusNotFound, "there is no subscriber %s", formatAOR(user, domain))
	case errors.Is(err, subscriber.ErrExists):
		return errorf(http.StatusConflict, "there is a subscriber %s already", formatAOR(user, domain))
	}
	return err
}

// Status implements Admin.
func (d *Direct) Status(context.Context) (Status, error) {
	if d.Server == nil {
		return Status{}, errNoServer
	}
	return d.Server.Status(), nil
}

// Reload implements Admin.
func (d *Direct) Reload(context.Context) error {
	if d.Server == nil {
		return errNoServer
	}
	if err := d.Server.Reload(); err != nil {
		return &Error{http.StatusBadRequest, err.Error()}
	}
	return nil
}

var errNoServer = &Error{http.StatusNotImplemented, "no server runs on this data folder"}

func describe(s subscriber.Subscriber) Subscriber {
	out := Subscriber{AOR: formatAOR(s.User, s.Domain), Realm: s.Realm, Usernames: []string{s.User}, Algorithms: []string{},
		Created: s.Created, Changed: s.Changed}
	if s.AtDomain.Has != 0 {
		out.Usernames = append(out.Usernames, subscriber.AtDomain(s.User, s.Domain))
	}
	for _, a := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		if s.HA1s.Has&(1<<a) != 0 {
			out.Algorithms = append(out.Algorithms, a.String())
		}
	}
	return out
}

// formatAOR writes an AOR as a URI.
func formatAOR(user, domain string) string {
	return string(subscriber.AppendAOR(nil, user, domain))
}

func pageSize(limit int) int {
	if limit < 1 || limit > MaxPage {
		return MaxPage
	}
	return limit
}
