package proxy

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
)

// Dialogs remembers what the proofs of dialogs do not say: that they go on after their proof's time, and where an end is
// to be reached that answered with another Contact than it was called at, or has moved. It is bounded, and lost when the
// process ends: a request that it would have known is one without a proof then.
//
// The zero Dialogs is not ready; see [NewDialogs]. It serves any number of goroutines, under one lock: it is asked once
// for each request that refreshes a dialog, and for those whose proof alone does not do.
type Dialogs struct {
	seed maphash.Seed

	mu   sync.Mutex
	sets [][dialogWays]dialogEntry // nil until the first is kept
}

// dialogEntry is one thing that is remembered. The zero entry is none.
type dialogEntry struct {
	key   [6]byte // the rest of the hash, after what found the set
	where place   // of an end; zero: this is the dialog's own entry
	until uint32  // in minutes, as proofs have them
}

// NewDialogs returns an empty Dialogs, for all proxies that one after the other serve the same dialogs.
func NewDialogs() *Dialogs { return &Dialogs{seed: maphash.MakeSeed()} }

// dialogKey is the key of a dialog, or with a tag of one end of it.
func (p *Proxy) dialogKey(callID, tag []byte) uint64 {
	var sums [16]byte
	binary.LittleEndian.PutUint64(sums[:], maphash.Bytes(p.dialogs.seed, callID))
	if tag != nil {
		binary.LittleEndian.PutUint64(sums[8:], maphash.Bytes(p.dialogs.seed, tag)|1)
	}
	return maphash.Bytes(p.dialogs.seed, sums[:])
}

// shortKey is what an entry keeps of its key.
func shortKey(key uint64) (short [6]byte) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], key)
	copy(short[:], b[:])
	return short
}

// keep remembers an entry. Where no room is left the one that ends first gives way: of class 0, strangers, only those of
// class 0, so that they cannot use up what the others need.
func (d *Dialogs) keep(key uint64, where place, until uint32, class uint8) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sets == nil {
		d.sets = make([][dialogWays]dialogEntry, dialogSets)
	}
	set, short := d.sets[key%dialogSets][:], shortKey(key)
	if class == 0 {
		set = set[:dialogWays/2]
	} else {
		set = set[dialogWays/2:]
	}
	oldest := 0
	for i := range set {
		if set[i].key == short {
			oldest = i
			break
		}
		if set[i].until < set[oldest].until {
			oldest = i
		}
	}
	set[oldest] = dialogEntry{short, where, until}
}

// alive reports whether a dialog is remembered at a time.
func (d *Dialogs) alive(key uint64, at uint32) bool { return d.moved(key, place{}, at) }

// moved reports whether an end of a dialog is remembered to have moved there.
func (d *Dialogs) moved(key uint64, where place, at uint32) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sets == nil {
		return false
	}
	short := shortKey(key)
	for _, e := range d.sets[key%dialogSets] {
		if e.key == short && e.where == where {
			return e.until >= at
		}
	}
	return false
}
