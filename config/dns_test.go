package config

import (
	"net/netip"
	"testing"
)

// FuzzServer holds that what is accepted as a name server can be asked, and is read as the same again.
func FuzzServer(f *testing.F) {
	for _, text := range []string{"192.0.2.53", "192.0.2.53:5353", "::1", "[::1]", "[::1]:53", "dns.example.com", "0.0.0.0", "1.1.1.1:0", "fe80::1%eth0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, reason := parseServer(text)
		if reason != "" {
			return
		}
		if !got.IsValid() || got.Port() == 0 || got.Addr().IsUnspecified() {
			t.Errorf("%q is %v", text, got)
		}
		if again, err := netip.ParseAddrPort(got.String()); err != nil || again != got {
			t.Errorf("%q is %v, which is %v, %v", text, got, again, err)
		}
	})
}
