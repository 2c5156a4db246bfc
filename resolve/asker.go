package resolve

import "net/netip"

// Asker is in whose name something is looked up: it says whose turn it takes. The zero Asker is the element itself, or
// a peer that it trusts.
type Asker struct {
	Source   netip.Addr // where the request came from
	Stranger bool       // whose sender has shown nothing
}

// sourceBits is what of an IPv6 address is one source: what a provider gives to one subscriber.
const sourceBits = 56

// turn is the asker whose turn it is: one for all addresses of a source.
func (a Asker) turn() Asker {
	a.Source = a.Source.Unmap()
	if a.Source.Is6() {
		if p, err := a.Source.Prefix(sourceBits); err == nil {
			a.Source = p.Addr()
		}
	}
	return a
}

// atOnce is how many questions of one asker are asked at once, of so many in all.
func (a Asker) atOnce(workers int) int {
	switch {
	case !a.Source.IsValid() && !a.Stranger:
		return workers
	case a.Stranger:
		return max(workers/strangerPart, 1)
	}
	return max(workers/sourcePart, 1)
}

// mayWait is how many look-ups of one asker may wait for DNS, of so many in all.
func (a Asker) mayWait(pending int) int {
	switch {
	case !a.Source.IsValid() && !a.Stranger:
		return pending
	case a.Stranger:
		return max(pending/strangerWaits, 1)
	}
	return max(pending/sourceWaits, 1)
}
