package transport

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// Socket addresses and packet infos come back as they were written.
func TestSocketAddresses(t *testing.T) {
	for _, c := range []struct {
		addr  string
		inet6 bool
	}{
		{"192.0.2.1:5060", false}, {"192.0.2.1:65535", true}, {"[2001:db8::1]:1", true}, {"[fe80::1%3]:5060", true},
	} {
		want := netip.MustParseAddrPort(c.addr)
		name := unix.RawSockaddrInet6{Scope_id: 9} // as left by another one
		size := setName(&name, want, c.inet6)
		if got := nameAddrPort(&name); got != want {
			t.Errorf("%s became %v", c.addr, got)
		}
		if family := name.Family; (family == unix.AF_INET6) != c.inet6 || (size == unix.SizeofSockaddrInet6) != c.inet6 {
			t.Errorf("%s: family %d, %d bytes", c.addr, family, size)
		}
		var info control
		n := setPacketInfo(info.b[:], want.Addr(), c.inet6)
		if got := packetInfo(info.b[:n]); n == 0 || got != want.Addr().WithZone("") {
			t.Errorf("%s: packet info of %d bytes is %v", c.addr, n, got)
		}
	}
	var info control
	for _, bad := range []netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("224.0.0.1"), netip.MustParseAddr("2001:db8::1")} {
		if n := setPacketInfo(info.b[:], bad, false); n != 0 {
			t.Errorf("%v is left from", bad)
		}
	}
	if got := packetInfo(nil); got.IsValid() {
		t.Errorf("no packet info is %v", got)
	}
	if scope("lo") == 0 || scope("no such interface") != 0 || scope("7") != 7 {
		t.Error("zones")
	}
}
