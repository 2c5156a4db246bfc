package conformance

import (
	"testing"

	. "biloxi/siptest"
)

// TestFaultP3: several Contacts of one REGISTER that are one binding.
func TestFaultP3(t *testing.T) {
	b := start(t)
	const old, anew = "sip:one@192.0.2.1:5060;ob", "sip:one@198.51.100.7:6060;ob"
	outboundContact := func(uri, params string) string { return "<" + uri + ">;reg-id=1;" + instanceA + params }
	for name, contacts := range map[string][]string{
		"the new one first": {outboundContact(anew, ";expires=300"), outboundContact(old, ";expires=0")},
		"the old one first": {outboundContact(old, ";expires=0"), outboundContact(anew, ";expires=300")},
		"the new one twice": {outboundContact(anew, ";expires=300"), outboundContact(old, ";expires=0"), outboundContact(anew, ";expires=300")},
	} {
		t.Run("P3 a change of address over a flow, "+name, func(t *testing.T) {
			for _, over := range []struct{ tcp bool }{{false}, {true}} {
				p := newPhone(t, b)
				if over.tcp {
					p = phoneOver(t, b, tcp)
				}
				p.Register(Line(outbound), Contact(outboundContact(old, ""))).Expect(200).Bound(old)
				p.Register(Line(outbound), Contact(contacts...)).Expect(200).Want("Require", "outbound").Bound(anew).Lasts(anew, 300, 0)
				p.Bound(anew)
			}
		})
		t.Run("P3 a change of address where the reg-id does not count, "+name, func(t *testing.T) {
			p := newPhone(t, b)
			far := Line("Via: SIP/2.0/UDP client.example;branch=z9hG4bK" + Token())
			p.Register(far, Contact(outboundContact(old, ""))).Expect(200).Bound(old)
			far = Line("Via: SIP/2.0/UDP client.example;branch=z9hG4bK" + Token())
			p.Register(far, Contact(contacts...)).Expect(200).Bound(anew)
		})
	}
	t.Run("P3 without outbound", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<" + old + ">;" + instanceA)).Expect(200)
		p.Register(Contact("<"+anew+">;"+instanceA, "<"+old+">;"+instanceA+";expires=0")).Expect(200).Bound(anew)
	})
	t.Run("P3 the same Contact twice is one", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+old+">;q=0.5;x=y", "<"+old+">;q=0.5;x=y")).Expect(200).Bound(old)
		p.Register(Contact("<"+old+">;expires=0", "<"+old+">;expires=0")).Expect(200).Bound()
		p.Register(Contact("<"+old+">;q=0.5", "<"+old+">;q=0.7")).Expect(400)
	})
	t.Run("P3 two flows at once are refused, as RFC 5626 §6 has it", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Line(outbound), Contact(outboundContact(old, ""), outboundContact(anew, ""))).Expect(400)
		p.Bound()
	})
}
