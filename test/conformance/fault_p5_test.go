package conformance

import (
	"testing"

	"biloxi/sip"
	. "biloxi/siptest"
)

// TestFaultP5: a REGISTER with a body.
func TestFaultP5(t *testing.T) {
	b := start(t)
	const contact = "sip:intercom@192.0.2.1"
	const xml = `<?xml version="1.0"?><device><model>door</model></device>`
	for _, over := range []sip.Transport{udp, tcp} {
		for name, edits := range map[string][]Edit{
			"XML":                        {Body("application/xml", xml)},
			"of a type nobody knows":     {Body("text/x", "hello")},
			"without a type":             {Body("text/x", "hello"), Without("Content-Type")},
			"with an encoding":           {Body("application/xml", "\x1f\x8b\x08\x00"), Line("Content-Encoding: gzip")},
			"with a language":            {Body("text/plain", "ja"), Line("Content-Language: sw")},
			"with a disposition":         {Body("application/xml", xml), Line("Content-Disposition: render")},
			"that says it is optional":   {Body("application/xml", xml), Line("Content-Disposition: session;handling=optional")},
			"of several parts":           {Body("multipart/mixed;boundary=x", "--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n")},
			"that a session describes":   {Body("application/sdp", SDP("192.0.2.1"))},
			"with a handling unheard of": {Body("application/xml", xml), Line("Content-Disposition: x;handling=perhaps")},
		} {
			t.Run("P5 a body "+name+" over "+over.String()+" is passed over", func(t *testing.T) {
				p := phoneOver(t, b, over)
				p.Register(append(edits, Contact("<"+contact+">"))...).Expect(200).Bound(contact)
				p.Register(append(edits, Contact("*"), Expires(0))...).Expect(200).Bound()
				p.Register(append(edits, CallID(Token()))...).Expect(200).Bound()
			})
		}
	}
	t.Run("P5 a body that says it must be understood is refused, as RFC 3261 §8.2.3 has it", func(t *testing.T) {
		p := newPhone(t, b)
		required := Line("Content-Disposition: session; Handling=REQUIRED")
		r := p.Register(Body("application/xml", xml), required, Line("Content-Encoding: gzip"), Contact("<"+contact+">")).Expect(415)
		if len(r.Values("Accept")) != 1 || r.Header("Accept-Encoding") != "identity" {
			t.Errorf("it does not say what is understood:\n%s", r.Raw)
		}
		p.Bound()
	})
}
