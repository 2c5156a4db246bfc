package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"time"

	"biloxi/subscriber"
)

// Import implements subscriber.Store.
func (s *Store) Import(ctx context.Context, seq iter.Seq2[subscriber.Subscriber, error]) (n int, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, wrap(err)
	}
	defer conn.Close()
	if err := enlarge(ctx, conn); err != nil {
		return 0, wrap(err)
	}
	defer shrink(conn)
	batch := make([]subscriber.Subscriber, 0, importBatch)
	for sub, err := range seq {
		if err == nil {
			err = sub.Validate()
		}
		if err != nil {
			stored, failed := s.store(ctx, conn, batch)
			return n + stored, cmp.Or(failed, err)
		}
		if batch = append(batch, sub); len(batch) < importBatch {
			continue
		}
		stored, err := s.store(ctx, conn, batch)
		if n += stored; err != nil {
			return n, err
		}
		batch = batch[:0]
	}
	stored, err := s.store(ctx, conn, batch)
	return n + stored, err
}

// enlarge gives a connection the page cache of an import, shrink that of all others.
func enlarge(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", importCache))
	return err
}

func shrink(conn *sql.Conn) {
	// Best effort: the memory goes at the latest when the connection does.
	conn.ExecContext(context.Background(), "PRAGMA cache_size = -2000")
}

// store puts a batch in one transaction: all of it or nothing. It sorts the batch, so that neighbours in
// the file are written together; of two for one AOR the later one stays.
func (s *Store) store(ctx context.Context, conn *sql.Conn, batch []subscriber.Subscriber) (n int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	slices.SortStableFunc(batch, func(a, b subscriber.Subscriber) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.User, b.User))
	})
	s.write.Lock()
	defer s.write.Unlock()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return 0, wrap(err)
	}
	defer tx.Rollback() // does nothing after Commit
	put, err := tx.PrepareContext(ctx, insert+orUpdate)
	if err != nil {
		return 0, wrap(err)
	}
	defer put.Close()
	now := time.Now()
	var args []any
	for i := range batch {
		args = values(args[:0], &batch[i], now)
		if _, err := put.ExecContext(ctx, args...); err != nil {
			return 0, wrap(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, wrap(err)
	}
	return len(batch), nil
}
