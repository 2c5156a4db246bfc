package sip

import (
	"net/netip"
	"strings"
	"testing"
)

var addresses = []string{
	"192.0.2.1", "255.255.255.255", "0.0.0.0", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1..2.3", "01.2.3.4", "1.2.3.4a", "1.2.3.0004",
	"::", "::1", "1::", "2001:db8::10", "2001:DB8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1", "1:", ":", "", ":::", "1:::2", "12345::", "::g", "::ffff:192.0.2.10",
	"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7:192.0.2.1", "::1.2.3", "::1.2.3.4:5", "1::2:3:4:5:6:7:8", "::%eth0", "1:2:3:4:5:6:7::8",
	"fe80::1", "1::8:1.2.3.4", "1.2.3.4::", "::1:", "a:b:c:d:e:f:0::",
}

// sameAsNetip compares with the address parser of the library, which has two rules of its own: zones, and
// no zeros before a number of an IPv4 address.
func sameAsNetip(t *testing.T, s string) {
	t.Helper()
	want, err := netip.ParseAddr(s)
	wantOK := err == nil && want.Zone() == ""
	if strings.Contains(s, ":") {
		got, ok := parseIPv6([]byte(s))
		if strings.Contains(s, ":::") || ok && !wantOK && strings.Contains(s, ".") {
			return
		}
		if ok != wantOK || ok && got != want {
			t.Errorf("%q: %v %v, want %v %v", s, got, ok, want, wantOK)
		}
		return
	}
	got, ok := parseIPv4([]byte(s))
	if ok != wantOK && !(ok && strings.Contains("."+s, ".0")) || ok && wantOK && netip.AddrFrom4(got) != want {
		t.Errorf("%q: %v %v, want %v %v", s, got, ok, want, wantOK)
	}
}

func TestAddress(t *testing.T) {
	for _, s := range addresses {
		sameAsNetip(t, s)
	}
	t.Run("TP-037", func(t *testing.T) {
		for in, want := range map[string]string{"[2001:db8:::192.0.2.1]": "2001:db8::c000:201", "[::1]": "::1", "192.0.2.4": "192.0.2.4",
			"biloxi.com": "", "": "", "[": "", "[]": "", "[1.2.3.4]": "", "[2001:db8:::1]": "", "4": "", "[::": "", "[::ffff:1.2.3.4]": "::ffff:1.2.3.4"} {
			a, ok := hostAddr([]byte(in))
			if ok != (want != "") || ok && a.String() != want {
				t.Errorf("%s: %v %v, want %q", in, a, ok, want)
			}
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range addresses {
		f.Add(s)
	}
	f.Fuzz(sameAsNetip)
}
