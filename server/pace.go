package server

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"

	"biloxi/location"
)

// pace bounds how much of the disk the changes of one AOR, and of one source, may write. Only changes in a hurry count:
// one that comes long after the last of its AOR costs nothing, not even a look into a table.
//
// A slot holds when its allowance is whole again, in milliseconds of the server's clock. Slots are found by a keyed
// hash, so that nobody can choose whom to meet there; two who are in a hurry and meet share one allowance.
type pace struct {
	seed    maphash.Seed
	aors    [paceSlots]atomic.Int64
	sources [paceSlots]atomic.Int64
}

func newPace() *pace { return &pace{seed: maphash.MakeSeed()} }

// admit takes so many bytes that an AOR's record has now from the allowances of the AOR and of the source, and returns
// 0; or it takes nothing and returns how long to wait.
func (p *pace) admit(now int64, aor []byte, from netip.Addr, contacts, bytes int) time.Duration {
	mine := &p.aors[maphash.Bytes(p.seed, aor)%paceSlots]
	cost := bytes * 1000 / (paceBytes * contacts)
	if wait := take(mine, now, int64(cost+1)); wait > 0 {
		return wait
	}
	if bytes -= ordinaryRecord; bytes <= 0 {
		return 0
	}
	for _, n := range prefixes(from) {
		slot := &p.sources[maphash.Comparable(p.seed, n)%paceSlots]
		if wait := take(slot, now, int64(bytes*1000/sourceBytes+1)); wait > 0 {
			return wait
		}
	}
	return 0
}

// prefixes are what stands for a source: an IPv4 address, or the /64 and the /56 of an IPv6 one.
func prefixes(from netip.Addr) [2]netip.Prefix {
	from = from.Unmap()
	if from.Is4() {
		own := netip.PrefixFrom(from, from.BitLen())
		return [2]netip.Prefix{own, {}}
	}
	small, _ := from.WithZone("").Prefix(64)
	large, _ := from.WithZone("").Prefix(56)
	return [2]netip.Prefix{small, large}
}

// take takes so many milliseconds from an allowance of paceBurst, or returns how long to wait until they are there.
func take(slot *atomic.Int64, now, cost int64) time.Duration {
	for {
		whole := slot.Load()
		from := max(whole, now)
		if over := from + cost - now - paceBurst.Milliseconds(); over > 0 {
			return time.Duration(over) * time.Millisecond
		}
		if slot.CompareAndSwap(whole, from+cost) {
			return 0
		}
	}
}

// Apply implements location.Change: that of the registration, unless its AOR changes too fast. What the registration
// did to the record then counts for nothing.
func (r *registering) Apply(rec *location.Record) (changed bool) {
	hurried := inHurry(rec, r.at)
	if changed = r.registration.Apply(rec); !changed || !hurried {
		return changed
	}
	wait := r.server.pace.admit(r.at, r.aor, r.flow.Remote.Addr(), r.contacts, rec.Size())
	if wait <= 0 {
		return true
	}
	r.hurried = true
	r.registration.Unavailable(wait)
	return false
}

// inHurry reports whether the record was changed a moment ago.
func inHurry(rec *location.Record, now int64) bool {
	for i := range rec.Bindings {
		if ago := now - rec.Bindings[i].Updated; ago < hurry.Milliseconds() {
			return true
		}
	}
	return false
}

// refusal is what a registration that is refused when it is applied counts as.
func (r *registering) refusal() refusal {
	if r.hurried {
		return refusedPace
	}
	return refusedRegistration
}
