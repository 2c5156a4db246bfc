package server

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"biloxi/config"
	"biloxi/store/journal"
	"biloxi/store/sqlite"
)

// openStores opens both stores and reads what they hold, at the same time: to read a million subscribers takes as
// long as to read a million bindings. But no subscriber is touched before the folder of bindings is ours, for
// another server may have it.
//
// Until reading is done, its goroutine owns s.store, s.live and s.subscribers.
func (s *Server) openStores(cfg config.Config, disk journal.FS) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var (
		reading sync.WaitGroup
		failed  error // of the subscribers
	)
	bindings, err := journal.Open(journal.Config{
		Dir:           filepath.Join(cfg.Data, LocationFolder),
		Durability:    journalDurability(cfg.Location.Durability),
		Interval:      time.Duration(cfg.Location.Interval),
		SnapshotBytes: int64(cfg.Location.SnapshotSize),
		MaxPending:    int(cfg.Location.MaxPending),
		FS:            disk,
		Logger:        s.log,
		Synced:        s.transport.Flush,
		Now:           s.now,
		Wall:          s.clock.wall,
		Locked: func() {
			reading.Go(func() { failed = s.openSubscribers(ctx, filepath.Join(cfg.Data, SubscriberFile), cfg.Domains) })
		},
	})
	if err == nil {
		s.location = bindings
	} else {
		cancel()
	}
	reading.Wait()
	return cmp.Or(err, failed)
}

// openSubscribers opens the store of subscribers and reads all of them into memory.
func (s *Server) openSubscribers(ctx context.Context, file string, domains []config.Domain) error {
	store, err := sqlite.Open(file)
	if err != nil {
		return err
	}
	s.store, s.live = store, &liveSubscribers{Store: store, cache: s.subscribers}
	s.subscribers.Keep(offered(domains)...)
	if err := s.subscribers.Load(ctx, store); err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	return nil
}

// watchSubscribers tells, once, that what is changed in the file of subscribers would not be found again, and that it
// would. What was read of it serves on.
func (s *Server) watchSubscribers() {
	checked, ok := s.store.(interface{ Check() error })
	if !ok {
		return
	}
	switch err := checked.Check(); {
	case err != nil && !s.unsound:
		s.log.Error("subscribers cannot be changed; those that were read are served", "error", err)
		s.unsound = true
	case err == nil && s.unsound:
		s.log.Warn("subscribers can be changed again")
		s.unsound = false
	}
}
