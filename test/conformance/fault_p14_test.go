package conformance

import (
	"testing"

	"biloxi/config"
	. "biloxi/siptest"
)

// TestFaultP14: outbound behind a load balancer that knows none.
func TestFaultP14(t *testing.T) {
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	far := func(lines ...string) Edit {
		return Line(append(lines, "Via: SIP/2.0/UDP client.example;branch=z9hG4bK"+Token(), outbound)...)
	}
	contact := func(uri string) Edit { return Contact("<" + uri + ">;" + instanceA + ";reg-id=1") }
	t.Run("P14 it is 439 unless the configuration says otherwise", func(t *testing.T) {
		p := newPhone(t, start(t))
		p.Register(far(), contact(one)).Expect(439)
		p.Bound()
	})
	t.Run("P14 with the key it registers, and is not told that it has outbound", func(t *testing.T) {
		b := start(t, func(c *config.Config) { c.Registrar.FirstHopWithoutOutbound = config.OutboundIgnore })
		p := newPhone(t, b)
		p.Register(far(), contact(one)).Expect(200).Lacks("Require").Bound(one)
		p.Register(far("Path: <sip:lb.example;lr>"), contact(two)).Expect(200).Lacks("Require").Bound(one, two)
		p.Register(far(), Contact("*"), Expires(0)).Expect(200).Bound()
		// An edge that does outbound, and a phone without anything in between, have it all the same.
		p.Register(far("Path: <sip:edge.example;lr;ob>"), contact(one)).Expect(200).Want("Require", "outbound").Bound(one)
		p.Register(Line(outbound), contact(two)).Expect(200).Want("Require", "outbound").Bound(two)
	})
}
