package sqlite

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"biloxi/subscriber"
)

// Import implements subscriber.Store.
//
// It takes runs of the sequence into memory and stores each in the order of the file's pages, batch by
// batch: a batch of subscribers in no order would write most of the file anew.
func (s *Store) Import(ctx context.Context, seq iter.Seq2[subscriber.Subscriber, error]) (n int, err error) {
	var run []subscriber.Subscriber
	for sub, bad := range seq {
		if bad == nil {
			bad = sub.Validate()
		}
		if bad != nil {
			stored, err := s.storeRun(ctx, run)
			return n + stored, cmp.Or(err, bad)
		}
		if run = append(run, sub); len(run) < s.run {
			continue
		}
		stored, err := s.storeRun(ctx, run)
		if n += stored; err != nil {
			return n, err
		}
		run = run[:0]
	}
	stored, err := s.storeRun(ctx, run)
	return n + stored, err
}

// storeRun stores a run in the order of the file; of two for one AOR the later one stays. It returns how
// many it stored.
func (s *Store) storeRun(ctx context.Context, run []subscriber.Subscriber) (n int, err error) {
	order := make([]int, len(run))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(run[i].Domain, run[j].Domain), cmp.Compare(run[i].User, run[j].User), i-j)
	})
	for batch := range slices.Chunk(order, s.batch) {
		if err := s.storeBatch(ctx, run, batch); err != nil {
			return n, err
		}
		n += len(batch)
	}
	return n, nil
}

// storeBatch stores those of a run in one transaction: all of them or nothing.
func (s *Store) storeBatch(ctx context.Context, run []subscriber.Subscriber, batch []int) error {
	s.write.Lock()
	defer s.write.Unlock()
	f, err := s.writable()
	if err != nil {
		return wrap(err)
	}
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err)
	}
	defer tx.Rollback() // does nothing after Commit
	put := tx.StmtContext(ctx, f.put)
	defer put.Close()
	now := time.Now()
	var args []any
	for _, i := range batch {
		args = values(args[:0], &run[i], now)
		// Without ctx, which would cost a goroutine each; the transaction has it.
		if _, err := put.Exec(args...); err != nil {
			return wrap(cmp.Or(ctx.Err(), err))
		}
	}
	if err := tx.Commit(); err != nil {
		return wrap(cmp.Or(ctx.Err(), err))
	}
	return wrap(f.check()) // it may have been removed meanwhile
}
