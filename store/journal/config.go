package journal

import (
	"log/slog"
	"time"
)

// Durability is when a change counts as durable. The zero value is Sync.
type Durability uint8

const (
	// Sync: when the disk has it. Nothing that was acknowledged is lost, by a kill or by a power loss.
	Sync Durability = iota

	// Interval: at once. It is written within about a millisecond, and what was written is synced every
	// Config.Interval. A kill loses what was acknowledged in the last millisecond or so, a power loss what
	// was in the last interval.
	Interval

	// None: at once. It is written within about a millisecond, and the operating system syncs when it likes,
	// often after half a minute. A kill loses as much as with Interval, a power loss that half minute.
	None
)

// Config says where a journal is kept, and how.
type Config struct {
	Dir           string           // the data folder; made if it is not there
	Durability    Durability       // zero: Sync
	Interval      time.Duration    // between syncs with Interval; zero: DefaultInterval
	FS            FS               // nil: that of the operating system
	Logger        *slog.Logger     // nil: nothing is logged
	Synced        func()           // called after the Dones of each group, on the same goroutine; may be nil
	MaxPending    int              // bytes of changes that may wait for the disk, over which Update gives ErrOverload; zero: DefaultMaxPending
	SnapshotBytes int64            // the journal may grow to this, or to twice what is live, before it is replaced by a snapshot; zero: DefaultSnapshotBytes
	Now           func() time.Time // the clock that the changes come with; nil: time.Now
	Wall          func() time.Time // the one that the next start begins by, if that is another; nil: Now
	Locked        func()           // called by Open when the folder is ours, before it is read; may be nil
}

func (cfg Config) withDefaults() Config {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	if cfg.FS == nil {
		cfg.FS = osFS{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Synced == nil {
		cfg.Synced = func() {}
	}
	if cfg.MaxPending <= 0 {
		cfg.MaxPending = DefaultMaxPending
	}
	if cfg.SnapshotBytes <= 0 {
		cfg.SnapshotBytes = DefaultSnapshotBytes
	}
	if cfg.Locked == nil {
		cfg.Locked = func() {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wall == nil {
		cfg.Wall = cfg.Now
	}
	return cfg
}
