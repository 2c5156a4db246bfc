package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"biloxi/sip"
	"biloxi/subscriber"
)

// Store is a subscriber.Store in a SQLite file. It is for many goroutines: the database has its own locks,
// and write keeps writers of this process from polling for it.
type Store struct {
	path  string
	file  atomic.Pointer[file]
	write sync.Mutex

	run, batch int // subscribers that an import sorts and stores at once
}

const columns = "domain, user, realm, md5, sha256, sha512_256, at_md5, at_sha256, at_sha512_256, created, changed"

const insert = "INSERT INTO subscriber (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "

const orUpdate = `ON CONFLICT DO UPDATE SET realm = excluded.realm, md5 = excluded.md5, sha256 = excluded.sha256,
	sha512_256 = excluded.sha512_256, at_md5 = excluded.at_md5, at_sha256 = excluded.at_sha256,
	at_sha512_256 = excluded.at_sha512_256, changed = excluded.changed`

func (f *file) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&f.add, insert + "ON CONFLICT DO NOTHING"},
		{&f.put, insert + orUpdate},
		{&f.remove, "DELETE FROM subscriber WHERE domain = ? AND user = ?"},
		{&f.find, "SELECT " + columns + " FROM subscriber WHERE domain = ? AND user = ?"},
		{&f.list, "SELECT " + columns + " FROM subscriber WHERE (domain, user) > (?, ?) ORDER BY domain, user LIMIT ?"},
	} {
		var err error
		if *p.stmt, err = f.db.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (s *Store) Close() error { return s.file.Load().close() }

// Check says why what is changed would not be found again: that the file was removed or replaced while it was open, or
// that the disk took no writes when it was opened. nil if all is well. Reading goes on meanwhile.
func (s *Store) Check() error { return wrap(s.file.Load().check()) }

// writable returns the file that changes go to, opened again if only a copy was open. The write lock is held.
func (s *Store) writable() (*file, error) {
	f := s.file.Load()
	if f.copy != "" {
		again, err := openAt(s.path)
		if err != nil {
			return nil, f.check()
		}
		s.file.Store(again)
		f.close()
		f = again
	}
	return f, f.check()
}

// Add implements subscriber.Store.
func (s *Store) Add(ctx context.Context, sub subscriber.Subscriber) error {
	if err := sub.Validate(); err != nil {
		return err
	}
	changed, err := s.change(ctx, func(f *file) *sql.Stmt { return f.add }, values(nil, &sub, time.Now())...)
	if err == nil && !changed {
		err = fmt.Errorf("%w: %s", subscriber.ErrExists, sub.AOR())
	}
	return err
}

// Put implements subscriber.Store.
func (s *Store) Put(ctx context.Context, sub subscriber.Subscriber) error {
	if err := sub.Validate(); err != nil {
		return err
	}
	_, err := s.change(ctx, func(f *file) *sql.Stmt { return f.put }, values(nil, &sub, time.Now())...)
	return err
}

// Remove implements subscriber.Store.
func (s *Store) Remove(ctx context.Context, user, domain string) error {
	changed, err := s.change(ctx, func(f *file) *sql.Stmt { return f.remove }, domain, user)
	if err == nil && !changed {
		err = notFound(user, domain)
	}
	return err
}

// Find implements subscriber.Store.
func (s *Store) Find(ctx context.Context, user, domain string) (sub subscriber.Subscriber, err error) {
	err = scan(s.file.Load().find.QueryRowContext(ctx, domain, user), &sub)
	if errors.Is(err, sql.ErrNoRows) {
		return sub, notFound(user, domain)
	}
	return sub, wrap(err)
}

// List implements subscriber.Store. A page has 10000 subscribers at the most.
func (s *Store) List(ctx context.Context, after string, limit int) (page []subscriber.Subscriber, next string, err error) {
	limit = min(max(limit, 1), maxPage)
	user, domain, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	// One more than asked for tells whether there is a next page.
	rows, err := s.file.Load().list.QueryContext(ctx, domain, user, limit+1)
	if err != nil {
		return nil, "", wrap(err)
	}
	err = each(rows, func(sub subscriber.Subscriber) error {
		page = append(page, sub)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > limit {
		page = page[:limit]
		next = cursor(&page[limit-1])
	}
	return page, next, nil
}

// A cursor is the last user and domain of a page; the domain has no "@".
func cursor(s *subscriber.Subscriber) string { return s.User + "@" + s.Domain }

func parseCursor(c string) (user, domain string, err error) {
	if c == "" {
		return "", "", nil
	}
	at := strings.LastIndexByte(c, '@')
	if at < 0 {
		return "", "", fmt.Errorf("%w: %q", subscriber.ErrCursor, c)
	}
	return c[:at], c[at+1:], nil
}

func notFound(user, domain string) error {
	return fmt.Errorf("%w: %s", subscriber.ErrNotFound, subscriber.AppendAOR(nil, user, domain))
}

// wrap names the store in an error of the database.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("subscribers: %w", err)
}

// change runs a statement that writes, and reports whether it changed a row.
func (s *Store) change(ctx context.Context, stmt func(*file) *sql.Stmt, args ...any) (changed bool, err error) {
	s.write.Lock()
	defer s.write.Unlock()
	f, err := s.writable()
	if err != nil {
		return false, wrap(err)
	}
	result, err := stmt(f).ExecContext(ctx, args...)
	if err = cmp.Or(err, f.check()); err != nil { // it may have been removed meanwhile
		return false, wrap(err)
	}
	n, err := result.RowsAffected()
	return n > 0, wrap(err)
}

// values appends the columns of a subscriber that is written now.
func values(dst []any, s *subscriber.Subscriber, now time.Time) []any {
	ms := now.UnixMilli()
	h, at := &s.HA1s, &s.AtDomain
	return append(dst, s.Domain, s.User, s.Realm, h.Of(sip.MD5), h.Of(sip.SHA256), h.Of(sip.SHA512_256),
		at.Of(sip.MD5), at.Of(sip.SHA256), at.Of(sip.SHA512_256), ms, ms)
}

// each calls fn for all rows, and closes them.
func each(rows *sql.Rows, fn func(subscriber.Subscriber) error) error {
	defer rows.Close()
	for rows.Next() {
		var s subscriber.Subscriber
		if err := scan(rows, &s); err != nil {
			return wrap(err)
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	return wrap(rows.Err())
}

// scan reads the columns of a row into s.
func scan(row interface{ Scan(...any) error }, s *subscriber.Subscriber) error {
	var hashes [6][]byte
	var created, changed int64
	if err := row.Scan(&s.Domain, &s.User, &s.Realm, &hashes[0], &hashes[1], &hashes[2], &hashes[3], &hashes[4], &hashes[5],
		&created, &changed); err != nil {
		return err
	}
	setHashes(s, hashes)
	s.Created, s.Changed = time.UnixMilli(created), time.UnixMilli(changed)
	return nil
}

// setHashes sets the hashes of a subscriber, in the order of the columns.
func setHashes[T ~[]byte](s *subscriber.Subscriber, hashes [6]T) {
	for i, a := range [...]sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		s.HA1s.Set(a, hashes[i])
		s.AtDomain.Set(a, hashes[i+3])
	}
}
