package resolve

import (
	"net/netip"
	"time"

	"biloxi/sip"
)

// Target is one place that a request can be sent to.
type Target struct {
	Transport sip.Transport
	Addr      netip.AddrPort
	// ServerName is what the server's certificate must be for (RFC 5922 §7.3): the host of the URI, in
	// lower case, whatever DNS made of it. It is empty for a transport without TLS.
	ServerName string
	// Priority and Weight are those of the SRV record that it comes from; zero if it comes from none.
	Priority, Weight uint16
}

// Targets are what a look-up found, in the order in which they are to be tried (RFC 3263 §4.3). The zero
// value is empty and ready; it is reused without allocation. While a look-up that is to be answered later
// is under way it belongs to the resolver, else to its one user.
type Targets struct {
	resolver *Resolver
	list     []Target
	next     int
	// Scratch of the look-up.
	host  []byte // TARGET of RFC 3263 §4, in lower case
	key   []byte // the name that is being looked for
	alias []byte // the name to look for instead
	order []uint16
}

// Next returns the next target to try, and whether there is one. Each attempt is a new transaction with a
// branch of its own (RFC 3263 §4.3).
func (t *Targets) Next() (Target, bool) {
	if t.next >= len(t.list) {
		return Target{}, false
	}
	t.next++
	return t.list[t.next-1], true
}

// Len is the number of targets that Next has not returned yet.
func (t *Targets) Len() int { return len(t.list) - t.next }

// All returns all targets, also those that Next has returned; the slice is the Targets' own.
func (t *Targets) All() []Target { return t.list }

// Failed is [Resolver.Failed] of the resolver that found the targets.
func (t *Targets) Failed(target Target, retryAfter time.Duration) {
	if t.resolver != nil {
		t.resolver.Failed(target, retryAfter)
	}
}

func (t *Targets) reset(r *Resolver) {
	t.resolver, t.list, t.next = r, t.list[:0], 0
}

// has reports whether a target with the transport and address is there.
func (t *Targets) has(transport sip.Transport, addr netip.AddrPort) bool {
	for i := range t.list {
		if t.list[i].Transport == transport && t.list[i].Addr == addr {
			return true
		}
	}
	return false
}
