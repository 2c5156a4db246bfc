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

	// Interval: at once; the disk is told to keep what was written every Config.Interval. A power loss
	// loses the changes of the last interval, a kill those of the last milliseconds.
	Interval

	// None: at once; the operating system keeps what was written when it likes, often after half a minute.
	// A power loss loses that much, a kill the changes of the last milliseconds.
	None
)

// Config says where a journal is kept, and how.
type Config struct {
	Dir           string           // the data folder, made if it is not there
	Durability    Durability       // zero: Sync
	Interval      time.Duration    // between syncs with Interval; zero: DefaultInterval
	FS            FS               // zero: that of the operating system
	Logger        *slog.Logger     // zero: none
	Synced        func()           // called after the Dones of each group, on the syncer's goroutine; may be nil
	MaxPending    int              // bytes of changes that may wait for the disk; zero: DefaultMaxPending
	SnapshotBytes int64            // the journal may grow to this before a snapshot is written; zero: DefaultSnapshotBytes
	Now           func() time.Time // zero: time.Now
}
