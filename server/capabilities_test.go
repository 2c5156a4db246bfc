package server

import (
	"net/netip"
	"testing"

	"biloxi/sip"
)

func TestOwnAddress(t *testing.T) {
	t.Run("HD-007", func(t *testing.T) {
		for _, c := range []struct {
			uri, local string
			own        bool
		}{
			{"sip:192.0.2.1", "192.0.2.1:5060", true},
			{"sip:192.0.2.1:5060;transport=udp", "192.0.2.1:5060", true},
			{"sip:[2001:DB8::1]:5060", "[2001:db8::1]:5060", true},
			{"sip:192.0.2.1", "[::ffff:192.0.2.1]:5060", true},
			{"sip:192.0.2.1:5062", "192.0.2.1:5060", false},
			{"sip:192.0.2.2", "192.0.2.1:5060", false},
			{"sip:example.com", "192.0.2.1:5060", false},
		} {
			u, err := sip.ParseURI([]byte(c.uri))
			if err != nil {
				t.Fatal(err)
			}
			if own := isOwnAddress(&u, sip.Flow{Local: netip.MustParseAddrPort(c.local)}); own != c.own {
				t.Errorf("%s at %s: own is %v", c.uri, c.local, own)
			}
		}
	})
}
