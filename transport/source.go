package transport

import "net/netip"

// sources are what a peer's address counts as: an IPv4 address, or an IPv6 /64, which one host has all of, and the /56
// around it, which one customer has as a rule. Of IPv4 both are the address.
type sources struct{ narrow, wide netip.Prefix }

// The lengths of IPv6 prefixes that count as one source.
const (
	narrowBits = 64
	wideBits   = 56
)

func sourcesOf(a netip.Addr) sources {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		p := netip.PrefixFrom(a, a.BitLen())
		return sources{p, p}
	}
	narrow, _ := a.Prefix(narrowBits)
	wide, _ := a.Prefix(wideBits)
	return sources{narrow, wide}
}

// one reports whether both are the same.
func (s sources) one() bool { return s.narrow == s.wide }
