package config

import (
	"net/netip"
	"testing"
)

func TestPrefix(t *testing.T) {
	for _, c := range []struct{ text, want, in, out string }{
		{"10.0.0.0/8", "10.0.0.0/8", "10.255.0.1", "11.0.0.1"},
		{"192.0.2.111", "192.0.2.111", "192.0.2.111", "192.0.2.112"},
		{"192.0.2.111/32", "192.0.2.111", "::ffff:192.0.2.111", "::ffff:192.0.2.112"},
		{"2001:DB8::/32", "2001:db8::/32", "2001:db8::1", "2001:db9::1"},
		{"::1", "::1", "::1", "127.0.0.1"},
		{"fe80::/10", "fe80::/10", "fe80::1%eth0", "::1"},
	} {
		var p Prefix
		if err := p.UnmarshalText([]byte(c.text)); err != nil || p.String() != c.want {
			t.Errorf("%s is %s, %v", c.text, p, err)
		}
		if !p.Contains(netip.MustParseAddr(c.in)) || p.Contains(netip.MustParseAddr(c.out)) {
			t.Errorf("%s: %s must be in it, and %s not", c.text, c.in, c.out)
		}
	}
	if (Prefix{}).Contains(netip.Addr{}) {
		t.Error("the zero prefix contains something")
	}
	for _, c := range []struct{ text, want string }{
		{"", `"" is no IP address and no network; write "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32"`},
		{"example.com", `"example.com" is no IP address and no network; write "192.0.2.1", "10.0.0.0/8" or "2001:db8::/32"`},
		{"10.0.0.0/33", `"10.0.0.0/33" is no network; write an address and the number of its leading bits, such as "10.0.0.0/8" or "2001:db8::/32"`},
		{"10.1.2.3/8", `"10.1.2.3/8" has bits behind its prefix; write "10.0.0.0/8" for the whole network, or "10.1.2.3" for that address alone`},
		{"fe80::1%eth0", `"fe80::1%eth0" names an interface; leave "%eth0" out`},
		{"::ffff:10.0.0.1", `"::ffff:10.0.0.1" is an IPv4 address within an IPv6 one; write it as "10.0.0.1"`},
		{"::ffff:10.0.0.0/104", `"::ffff:10.0.0.0/104" is an IPv4 address within an IPv6 one; write it as "10.0.0.0"`},
	} {
		if err := new(Prefix).UnmarshalText([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// FuzzPrefix holds that what is accepted is written so that it is read as the same, and that its first address
// is in it.
func FuzzPrefix(f *testing.F) {
	for _, text := range []string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "10.1.2.3/8", "fe80::1%eth0", "::ffff:1.2.3.4/104", "0.0.0.0/0"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p, again Prefix
		if err := p.UnmarshalText(text); err != nil {
			if p != (Prefix{}) || err.Error() == "" {
				t.Errorf("%q: %v, %v", text, p, err)
			}
			return
		}
		if err := again.UnmarshalText([]byte(p.String())); err != nil || again != p {
			t.Errorf("%q is written %q, which is %v, %v", text, p, again, err)
		}
		if !p.Contains(netip.Prefix(p).Addr()) || netip.Prefix(p).Masked() != netip.Prefix(p) {
			t.Errorf("%q is %v", text, p)
		}
	})
}
