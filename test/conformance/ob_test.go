package conformance

import (
	"strings"
	"testing"

	. "biloxi/siptest"
)

const (
	instanceA = `+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEE01>"`
	instanceB = `+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEE02>"`
	outbound  = "Supported: outbound, path"
)

// TestOutbound: registrations over several flows (RFC 5626 §6).
func TestOutbound(t *testing.T) {
	b := start(t)
	const one, two, three = "sip:one@192.0.2.1", "sip:two@192.0.2.2", "sip:three@192.0.2.3"

	t.Run("OB-001", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CSeq(100), Contact("<"+one+">;"+instanceA+";reg-id=1"), Line(outbound)).Expect(200).Bound(one)
		p.Reboot()
		p.Register(CSeq(1), Contact("<"+two+">;"+instanceA+";reg-id=1"), Line(outbound)).Expect(200).Bound(two)
		p.Bound(two)
	})
	t.Run("T5", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;"+instanceA+";reg-id=1"), Line(outbound)).Expect(200).Bound(one)
		p.Register(Contact("<"+two+">;"+instanceA+";reg-id=2"), Line(outbound)).Expect(200).Bound(one, two)
		p.Register(Contact("<"+three+">;"+instanceB+";reg-id=1"), Line(outbound)).Expect(200).Bound(one, two, three)
		// The same URI over two flows is two bindings.
		p.Register(Contact("<"+one+">;"+instanceA+";reg-id=3"), Line(outbound)).Expect(200).Bound(one, one, two, three)
	})
	t.Run("OB-002", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">;reg-id=1"), Line(outbound)).Expect(200).Lacks("Require")
		p.Register(Contact("<"+two+">;reg-id=1"), Line(outbound)).Expect(200).Lacks("Require").Bound(one, two)
	})
	t.Run("OB-004", func(t *testing.T) {
		p := newPhone(t, b)
		far := []Edit{Line("Via: SIP/2.0/UDP client.example;branch=z9hG4bK1", outbound), Contact("<" + one + ">;" + instanceA + ";reg-id=1")}
		p.Register(append(far, Line("Path: <sip:p1.example;lr>"))...).Expect(439)
		p.Register(far...).Expect(439)
		p.Bound()
		p.Register(append(far, Line("Path: <sip:p1.example;lr;ob>"))...).Expect(200).Want("Require", "outbound").Bound(one)
	})
	t.Run("OB-005", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Register(Line("Via: SIP/2.0/UDP client.example;branch=z9hG4bK1"), Contact("<"+one+">;"+instanceA+";reg-id=1")).Expect(200)
		r.Lacks("Require").Bound(one)
		p.Register(Line("Via: SIP/2.0/UDP client.example;branch=z9hG4bK2"), Contact("<"+two+">;"+instanceA+";reg-id=1")).Expect(200).Bound(one, two)
	})
	t.Run("OB-006", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=1", "<"+two+">")).Expect(400)
		p.Bound()
		p.Register(Contact("<" + two + ">")).Expect(200)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=1", "<"+two+">;expires=0")).Expect(200).Bound(one)
	})
	t.Run("OB-007", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Line(outbound, "Path: <sip:p1.example;lr;ob>"), Contact("<"+one+";ob>;"+instanceA+`;reg-id=1;methods="INVITE,BYE"`)).
			Expect(200).Want("Path", "<sip:p1.example;lr;ob>")
		binding := p.Bound(one + ";ob").Binding(one + ";ob")
		for name, want := range map[string]string{"reg-id": "1", "methods": `"INVITE,BYE"`, "+sip.instance": strings.TrimPrefix(instanceA, "+sip.instance=")} {
			if got, _ := binding.Param(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
	t.Run("OB-021", func(t *testing.T) {
		for _, id := range []string{"0", "2147483648", "4294967297", "x", "-1"} {
			p := newPhone(t, b)
			r := p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id="+id)).Expect(200, 400)
			if r.Status() == 200 {
				r.Lacks("Require")
			}
		}
		p := newPhone(t, b)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=2147483647")).Expect(200).Want("Require", "outbound")
	})
	t.Run("OB-022", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=1")).Expect(200)
		again(t, b, p).Register(Contact("<"+two+">")).Expect(200).Bound(one, two)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=1")).Expect(200).Bound(one, two)
	})
	t.Run("OB-023", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Line(outbound), Contact("<"+one+">;"+instanceA+";reg-id=1")).Expect(200)
		p.Register(Line(outbound), Contact("<"+two+">;"+instanceA+";reg-id=2")).Expect(200)
		p.Register(Contact("*"), Expires(0)).Expect(200).Bound()
		p.Bound()
	})
}
