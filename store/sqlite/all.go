package sqlite

import (
	"context"
	"database/sql"

	"biloxi/subscriber"
)

// All implements subscriber.Store. A start waits for it, with a million rows: so it asks for no more columns than
// it needs, and reads them where the driver has put them.
func (s *Store) All(ctx context.Context, fn func(subscriber.Subscriber) error) error {
	rows, err := s.file.Load().db.QueryContext(ctx, "SELECT domain, realm, user, md5, sha256, sha512_256, at_md5, at_sha256, at_sha512_256 FROM subscriber")
	if err != nil {
		return wrap(err)
	}
	defer rows.Close()
	var r row
	columns := r.columns()
	for rows.Next() {
		if err := rows.Scan(columns...); err != nil {
			return wrap(err)
		}
		if err := fn(r.subscriber()); err != nil {
			return err
		}
	}
	return wrap(rows.Err())
}

// row is the columns of one row, which are valid until the next, and the domain and realm of the one before.
type row struct {
	domain, realm, user sql.RawBytes
	hashes              [6]sql.RawBytes

	lastDomain, lastRealm string
}

func (r *row) columns() []any {
	h := &r.hashes
	return []any{&r.domain, &r.realm, &r.user, &h[0], &h[1], &h[2], &h[3], &h[4], &h[5]}
}

func (r *row) subscriber() (s subscriber.Subscriber) {
	s.Domain, s.Realm, s.User = share(&r.lastDomain, r.domain), share(&r.lastRealm, r.realm), string(r.user)
	setHashes(&s, r.hashes)
	return s
}

// share returns text as a string: the last one, if it is the same.
func share(last *string, text []byte) string {
	if *last != string(text) {
		*last = string(text)
	}
	return *last
}
