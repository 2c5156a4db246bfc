package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// Prefix is a set of IP addresses: a network, written "10.0.0.0/8" or "2001:db8::/32", or a single address. It
// is a netip.Prefix whose address has no bits behind the prefix; the zero Prefix is none, and contains nothing.
type Prefix netip.Prefix

// UnmarshalText reads a network or an address. A network with bits behind its prefix is refused: either the
// address alone is meant, or the whole network, and a guess may trust too many.
func (p *Prefix) UnmarshalText(b []byte) error {
	text := string(b)
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return fmt.Errorf("%q is no IP address and no network; write \"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\"", text)
		}
		if err := plainAddress(text, address); err != nil {
			return err
		}
		*p = Prefix(netip.PrefixFrom(address, address.BitLen()))
		return nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("%q is no network; write an address and the number of its leading bits, such as \"10.0.0.0/8\" or \"2001:db8::/32\"", text)
	}
	if err := plainAddress(text, network.Addr()); err != nil {
		return err
	}
	if network != network.Masked() {
		return fmt.Errorf("%q has bits behind its prefix; write %q for the whole network, or %q for that address alone", text, network.Masked(), network.Addr())
	}
	*p = Prefix(network)
	return nil
}

// plainAddress refuses the two forms that no packet has as its source: an address that depends on the interface,
// and an IPv4 address within an IPv6 one.
func plainAddress(text string, a netip.Addr) error {
	switch {
	case a.Zone() != "":
		return fmt.Errorf("%q names an interface; leave %q out", text, "%"+a.Zone())
	case a.Is4In6():
		return fmt.Errorf("%q is an IPv4 address within an IPv6 one; write it as %q", text, a.Unmap())
	}
	return nil
}

// MarshalText is String.
func (p Prefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns the network, or the address alone if it is a single one.
func (p Prefix) String() string {
	if n := netip.Prefix(p); !n.IsSingleIP() {
		return n.String()
	}
	return netip.Prefix(p).Addr().String()
}

// Contains reports whether an address is in the network. An IPv4 address within an IPv6 one counts as IPv4.
func (p Prefix) Contains(a netip.Addr) bool { return netip.Prefix(p).Contains(a.Unmap().WithZone("")) }

// validateTrusted refuses to trust everybody.
func (s *source) validateTrusted(path string, trusted []Prefix) {
	for i, p := range trusted {
		if netip.Prefix(p).Bits() == 0 {
			s.fail(fmt.Sprintf("%s.%d", path, i), "%q trusts everybody: whoever reaches the server could call anywhere through it; name the networks of your peers", p)
		}
	}
}
