package location

import (
	"net/netip"
	"testing"

	"biloxi/sip"
)

// open are the serials of the connections that are open.
type open map[uint64]bool

func (o open) Alive(f sip.Flow) bool { return o[f.Serial] }

func TestGone(t *testing.T) {
	over := func(tr sip.Transport, serial uint64) sip.Flow {
		return sip.Flow{Transport: tr, Remote: netip.MustParseAddrPort("192.0.2.1:40000"), Serial: serial}
	}
	for name, c := range map[string]struct {
		binding Binding
		gone    bool
	}{
		"an open connection":         {Binding{Contact: []byte("sip:bob@192.0.2.1"), Flow: over(sip.TCP, 1)}, false},
		"one that has closed":        {Binding{Contact: []byte("sip:bob@192.0.2.1"), Flow: over(sip.TCP, 2)}, true},
		"one of TLS that has closed": {Binding{Contact: []byte("SIPS:bob@192.0.2.1"), Flow: over(sip.TLS, 2)}, true},
		"UDP":                        {Binding{Contact: []byte("sip:bob@192.0.2.1"), Flow: over(sip.UDP, 0)}, false},
		"closed, with a URI that leads elsewhere": {Binding{Contact: []byte("sip:bob@192.0.2.9"), Flow: over(sip.TCP, 2)}, true},
		"closed, with a name":                     {Binding{Contact: []byte("sips:bob@client.example.com"), Flow: over(sip.TLS, 2)}, true},
		"closed, but for another transport":       {Binding{Contact: []byte("sip:bob@192.0.2.9;transport=udp"), Flow: over(sip.TCP, 2)}, false},
		"no flow":                                 {Binding{Contact: []byte("sip:bob@192.0.2.1")}, false},
		"with a Path":                             {Binding{Contact: []byte("sip:bob@192.0.2.1"), Path: []byte("<sip:edge;lr>"), Flow: over(sip.TCP, 2)}, false},
		"a contact that is no SIP URI":            {Binding{Contact: []byte("mailto:bob@example.com"), Flow: over(sip.TCP, 2)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.binding.Gone(open{1: true}); got != c.gone {
				t.Errorf("gone: %v, want %v", got, c.gone)
			}
		})
	}
	if b := (Binding{Contact: []byte("sip:bob@192.0.2.1"), Flow: over(sip.TCP, 1)}); !b.Gone(nil) {
		t.Error("where nothing runs, no connection is open")
	}
}
