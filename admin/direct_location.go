package admin

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// FindLocation implements Admin.
func (d *Direct) FindLocation(ctx context.Context, aor string) (Location, error) {
	user, domain, err := d.address(aor)
	if err != nil {
		return Location{}, err
	}
	locations, err := d.Locations()
	if err != nil {
		return Location{}, err
	}
	var r location.Record
	now := d.Now()
	if _, ok := locations.View(now, locationKey(user, domain.Name), &r, nil); !ok {
		return Location{}, nothingRegistered(user, domain.Name)
	}
	return Location{formatAOR(user, domain.Name), d.describeBindings(now, &r)}, nil
}

// ListLocations implements Admin.
func (d *Direct) ListLocations(ctx context.Context, cursor string, limit int) (page LocationPage, err error) {
	locations, err := d.Locations()
	if err != nil {
		return page, err
	}
	now := d.Now()
	page.Locations = []Location{}
	page.Next, err = locations.List(now, cursor, pageSize(limit), func(aor []byte, r *location.Record) {
		at := bytes.LastIndexByte(aor, '@')
		if at < 0 {
			return // no key that this server writes
		}
		page.Locations = append(page.Locations, Location{formatAOR(string(aor[:at]), string(aor[at+1:])), d.describeBindings(now, r)})
	})
	return page, err
}

// RemoveLocation implements Admin.
func (d *Direct) RemoveLocation(ctx context.Context, aor, contact string) (int, error) {
	user, domain, err := d.address(aor)
	if err != nil {
		return 0, err
	}
	var uri []byte
	if contact != "" {
		uri = []byte(contact)
		if _, err := sip.ParseURI(uri); err != nil {
			return 0, errorf(http.StatusBadRequest, "%q is no URI; write the contact as the list shows it", contact)
		}
	}
	n, err := d.remove(ctx, user, domain.Name, uri)
	switch {
	case err != nil:
		return 0, err
	case n == 0 && contact != "":
		return 0, errorf(http.StatusNotFound, "%s has no contact %s", formatAOR(user, domain.Name), contact)
	case n == 0:
		return 0, nothingRegistered(user, domain.Name)
	}
	return n, nil
}

func nothingRegistered(user, domain string) error {
	return errorf(http.StatusNotFound, "nothing is registered for %s", formatAOR(user, domain))
}

// remove removes one contact, or with nil all of them, and waits until that is durable.
func (d *Direct) remove(ctx context.Context, user, domain string, contact []byte) (int, error) {
	locations, err := d.Locations()
	if err != nil {
		return 0, err
	}
	now := d.Now()
	change := &removal{contact: contact, now: now.UnixMilli(), done: make(chan error, 1)}
	durable, err := locations.Update(now, locationKey(user, domain), change, change)
	if err != nil || durable {
		return change.removed, err
	}
	select {
	case err = <-change.done:
		return change.removed, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// removal is a location.Change that removes contacts, and its own Done.
type removal struct {
	contact []byte // nil: all
	now     int64
	removed int
	done    chan error
}

// Apply turns the bindings into tombstones, which remember who wrote them: a late retransmission of that
// REGISTER raises nothing.
func (c *removal) Apply(r *location.Record) (changed bool) {
	c.removed = 0
	for i := range r.Bindings {
		b := &r.Bindings[i]
		if b.Removed || c.contact != nil && !sameURI(b.Contact, c.contact) {
			continue
		}
		b.Removed, b.Expires = true, c.now+location.TombstoneLifetime.Milliseconds()
		c.removed++
	}
	return c.removed > 0
}

// Done implements location.Done.
func (c *removal) Done(err error) { c.done <- err }

// sameURI compares by RFC 3261 §19.1.4.
func sameURI(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	u, err := sip.ParseURI(a)
	if err != nil {
		return false
	}
	v, err := sip.ParseURI(b)
	return err == nil && u.Equal(v)
}

// locationKey is the key of a user without escapes, in a canonical domain.
func locationKey(user, domain string) []byte {
	return location.AppendAOR(nil, sip.AppendEscapedUser(nil, []byte(user)), []byte(domain))
}

func (d *Direct) describeBindings(now time.Time, r *location.Record) []Binding {
	r.SortByQ()
	out := make([]Binding, 0, len(r.Bindings))
	for i := range r.Bindings {
		if b := &r.Bindings[i]; !b.Removed {
			one := describeBinding(now, b)
			one.Reachable = !b.Gone(d.Flows)
			out = append(out, one)
		}
	}
	return out
}

func describeBinding(now time.Time, b *location.Binding) Binding {
	out := Binding{
		Contact:   string(b.Contact),
		Q:         float64(b.Q) / 1000,
		Params:    string(b.Params),
		Path:      string(b.Path),
		Instance:  string(b.Instance),
		RegID:     b.RegID,
		CallID:    string(b.Writer.CallID),
		CSeq:      b.Writer.CSeq,
		Transport: strings.ToLower(b.Flow.Transport.String()),
		UserAgent: string(b.UserAgent),
		Created:   time.UnixMilli(b.Created).UTC(),
		Updated:   time.UnixMilli(b.Updated).UTC(),
	}
	if b.Flow.Remote.IsValid() {
		out.Remote = b.Flow.Remote.String()
	}
	if b.Flow.Local.IsValid() {
		out.Local = b.Flow.Local.String()
	}
	if b.Expires != location.Never {
		expires := time.UnixMilli(b.Expires).UTC()
		left := (b.Expires - now.UnixMilli() + 999) / 1000
		out.Expires, out.ExpiresIn = &expires, &left
	}
	return out
}
