package defence

import "net/netip"

// network is a prefix that is counted as one. IPv4 is written as of IPv6, ::ffff:0:0/96.
type network struct {
	addr [16]byte
	bits uint8 // 0: none
}

// source is where an attempt came from: the network that is counted as one, and the wider one that is counted beside
// it. They are the same for IPv4.
type source struct{ near, wide network }

// The prefixes that are counted: of IPv6 a site's network, and what providers give to one customer.
const (
	bits64   = 64
	bits56   = 56
	bitsIPv4 = 128
)

func sourceOf(a netip.Addr) (s source) {
	s.wide = wideOf(a)
	if s.near = s.wide; s.wide.bits == bits56 {
		s.near = network{addr: a.As16(), bits: bits64}
		clear(s.near.addr[bits64/8:])
	}
	return s
}

func wideOf(a netip.Addr) network {
	if a.Is4() || a.Is4In6() {
		return network{addr: a.As16(), bits: bitsIPv4}
	}
	n := network{addr: a.As16(), bits: bits56}
	clear(n.addr[bits56/8:])
	return n
}

// prefix is the network as it is written; zero for none.
func (n network) prefix() netip.Prefix {
	switch a := netip.AddrFrom16(n.addr); n.bits {
	case 0:
		return netip.Prefix{}
	case bitsIPv4:
		return netip.PrefixFrom(a.Unmap(), 32)
	default:
		return netip.PrefixFrom(a, int(n.bits))
	}
}

// SameSource reports whether two addresses count as one source.
func SameSource(a, b netip.Addr) bool { return sourceOf(a).near == sourceOf(b).near }
