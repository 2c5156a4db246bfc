package server

import (
	"net/netip"
	"testing"

	"biloxi/sip"
)

// TestDoneCountsRefusals: a registration that waited for the disk and was refused is counted as any other.
func TestDoneCountsRefusals(t *testing.T) {
	s := start(t, testConfig(t))
	x := s.newExchange().(*exchange)
	remote := netip.MustParseAddrPort("127.0.0.1:9")
	x.flow, x.to = sip.Flow{Transport: sip.UDP, Local: s.Addrs()[0].Local, Remote: remote}, remote
	x.registration.Status, x.registration.Reason = 500, "out-of-order"
	x.Done(nil)
	c := s.ledger.counters()
	if c.Refused["registration"] != 1 || c.Answered["5xx"] != 1 {
		t.Errorf("%d refused and %d answered 5xx, want 1 and 1", c.Refused["registration"], c.Answered["5xx"])
	}
}
