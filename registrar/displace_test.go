package registrar

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"

	"pgregory.net/rapid"
)

// TestDisplacement has phones come and go over connections, and holds what must be so whoever makes room for whom:
// there are never more contacts than may be, what a 200 answers is there, what goes is a tombstone, nobody loses a
// connection that is open to somebody else unless the policy says so, and a retransmission changes nothing.
func TestDisplacement(t *testing.T) {
	t.Run("P1 who makes room", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			policy := rapid.SampledFrom([]string{WhenFullRefuse, WhenFullOldest}).Draw(t, "policy")
			d := newDesk(t, Config{MaxContacts: 3, WhenFull: policy})
			for range rapid.IntRange(1, 30).Draw(t, "requests") {
				d.now = d.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
				if rapid.IntRange(0, 2).Draw(t, "hangs up") == 0 {
					d.closed[uint64(rapid.IntRange(1, 6).Draw(t, "which"))] = true
				}
				d.comeBack(t, policy)
			}
		})
	})
}

// comeBack has a phone register one or two contacts.
func (d *desk) comeBack(t *rapid.T, policy string) {
	d.flow = sip.Flow{Transport: rapid.SampledFrom([]sip.Transport{sip.UDP, sip.TCP, sip.TLS}).Draw(t, "transport"), Local: bobFlow.Local,
		Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(1, 2).Draw(t, "host"))}), uint16(rapid.IntRange(1, 3).Draw(t, "port")))}
	if d.flow.Transport.Reliable() {
		d.flow.Serial = uint64(rapid.IntRange(1, 6).Draw(t, "connection"))
		delete(d.closed, d.flow.Serial)
	}
	lines := []string{"Supported: outbound", fmt.Sprint("Call-ID: ", rapid.IntRange(1, 3).Draw(t, "call"))}
	params := rapid.SampledFrom([]string{"", `;+sip.instance="<urn:uuid:1>"`, `;+sip.instance="<urn:uuid:2>"`, `;+sip.instance="<urn:uuid:1>";reg-id=1`}).Draw(t, "params")
	n := 1
	if !strings.Contains(params, "reg-id") {
		n = rapid.IntRange(1, 4).Draw(t, "contacts")
	}
	for i := range n {
		lines = append(lines, fmt.Sprintf("Contact: <sip:bob@%s:%d>%s", d.flow.Remote.Addr(), int(d.flow.Remote.Port())+10*i, params))
	}
	before := d.decode()
	before.Expire(d.now.UnixMilli())
	d.send(d.request(lines))
	after := d.decode()
	checkRecord(t, after)
	live := 0
	for i := range after.Bindings {
		if !after.Bindings[i].Removed {
			live++
		}
	}
	switch {
	case live > 3:
		t.Fatalf("%d contacts are there", live)
	case d.reg.Status == 500 && d.reg.Reason != ReasonTooMany, d.reg.Status != 500 && d.reg.Status != 200:
		t.Fatalf("got\n%s", d.reg.Response)
	case d.reg.Status == 200:
		d.checkDisplaced(t, before, after, policy, n)
	}
	answer, record := string(d.reg.Response), string(d.record)
	if d.send(d.sent[len(d.sent)-1].request); d.reg.Status == 200 && (string(d.reg.Response) != answer || string(d.record) != record) {
		t.Fatalf("a retransmission gets\n%s\nand at first\n%s", d.reg.Response, answer)
	}
}

// checkDisplaced looks at what has gone.
func (d *desk) checkDisplaced(t *rapid.T, before, after *location.Record, policy string, n int) {
	there := map[string]bool{}
	wrote := 0
	for i := range after.Bindings {
		b := &after.Bindings[i]
		there[keyOf(b)] = !b.Removed
		if !b.Removed && b.Updated == d.now.UnixMilli() && b.Writer.CSeq == uint32(d.cseq) {
			wrote++
		}
	}
	if wrote != n {
		t.Fatalf("%d of %d contacts are there, after\n%s", wrote, n, d.reg.Response)
	}
	for i := range before.Bindings {
		b := &before.Bindings[i]
		live, known := there[keyOf(b)]
		if b.Removed || live {
			continue
		}
		stranger := b.Instance == nil && b.Flow.Remote.Addr() != d.flow.Remote.Addr() && string(b.Writer.CallID) != string(d.reg.writer.CallID)
		if !known || policy == WhenFullRefuse && stranger && !b.Gone(d) {
			t.Fatalf("%s over %v has gone, for\n%s", b.Contact, b.Flow, d.reg.Response)
		}
	}
}

// keyOf is what a binding is found by.
func keyOf(b *location.Binding) string {
	if b.RegID != 0 {
		return fmt.Sprintf("%s %d", b.Instance, b.RegID)
	}
	return string(b.Contact)
}
