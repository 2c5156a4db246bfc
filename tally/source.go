package tally

import "net/netip"

// Sources are the keys of where something comes from: an IPv4 address, or the /64 and the /56 of an IPv6 one, which is
// what one subscriber of a provider has of it, and may have. The second Key is zero for IPv4, and
// both are for the zero Addr.
func (c *Counts) Sources(addr netip.Addr) [2]Key {
	addr = addr.Unmap()
	if !addr.IsValid() {
		return [2]Key{}
	}
	if !addr.Is6() {
		four := addr.As4()
		return [2]Key{c.Key(kindIPv4, four[:])}
	}
	six := addr.As16()
	return [2]Key{c.Key(kind64, six[:8]), c.Key(kind56, six[:7])}
}

// What Sources tells apart; other kinds are below.
const (
	kindIPv4 = 0xff - iota
	kind64
	kind56
)
