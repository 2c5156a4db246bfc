package journal

import (
	"errors"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// reserveName is a file that only takes room.
const reserveName = prefix + "reserve"

// reserve is room on the disk for one snapshot. When the disk is full it is given up, so that a snapshot can be
// written that makes the journals needless, which mostly is what fills the disk. The keeper keeps it, the syncer and
// the keeper give it up.
type reserve struct {
	cfg *Config

	mu        sync.Mutex
	size      int64     // what it has; 0: nothing is known to be there
	none      bool      // it was given up
	notBefore time.Time // when it is tried again
}

// keep sees that the reserve has room for so many bytes.
func (r *reserve) keep(need int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if need <= r.size || time.Now().Before(r.notBefore) {
		return
	}
	size := (need + need/4 + reserveStep - 1) / reserveStep * reserveStep
	err := error(nil)
	if r.none {
		// It must not take the last room, or the disk would be full again at once.
		err = r.cfg.FS.Reserve(r.name(), 2*size)
	}
	if err == nil {
		err = r.cfg.FS.Reserve(r.name(), size)
	}
	if err != nil {
		r.notBefore = time.Now().Add(reserveRetry)
		if r.size > 0 || !r.none {
			r.cfg.Logger.Warn("there is no room to keep in reserve for a snapshot: a disk that the journal fills will refuse registrations until somebody makes room",
				"bytes", size, "error", err)
		}
		r.size, r.none = 0, true
		return
	}
	r.size, r.none = size, false
}

// giveUp frees the room, and reports whether there may have been any.
func (r *reserve) giveUp(why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.none || !errors.Is(why, syscall.ENOSPC) && !errors.Is(why, syscall.EDQUOT) {
		return false
	}
	r.size, r.none = 0, true
	r.notBefore = time.Now().Add(reserveRetry)
	return r.cfg.FS.Remove(r.name()) == nil
}

func (r *reserve) name() string { return filepath.Join(r.cfg.Dir, reserveName) }
