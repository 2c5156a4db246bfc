package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// TestRegisterResponse: what stands in the answer to a REGISTER (RFC 3261 §10.3 step 8, §8.2.6).
func TestRegisterResponse(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"

	t.Run("RG-002", func(t *testing.T) {
		p := newPhone(t, b)
		for _, edits := range [][]Edit{
			{Contact("*")}, {Contact("<nonsense>")}, {Contact("<" + one + ">;expires=1")}, {To("<sip:nosuch@biloxi.example.com>")},
			{URI("sip:elsewhere.example")}, {URI("tel:+1")}, {Line("Require: foo")}, {CSeqMethod("INVITE")},
			{Version("SIP/3.0")}, {To("<mailto:a@b>")}, {Expires("x"), Contact("*")}, {MaxForwards("0"), Contact("<" + one + ">")},
			{Line("Content-Type: text/x"), Body("text/x", "hello")}, {Line("Path: nonsense")}, {Contact("<sips:x@h>", "<sip:x@h>")},
		} {
			if r := p.Register(edits...); r.Status() >= 600 {
				r.Fatalf("a REGISTER is answered with %d", r.Status())
			}
		}
	})
	t.Run("RG-003", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Register(Contact("<"+one+">"), Line("Record-Route: <sip:x.example;lr>")).Expect(200).Bound(one)
		r.Lacks("Path").Lacks("Route").Lacks("Service-Route")
		if got := r.Binding(one).Params; strings.Contains(string(got), "x.example") {
			t.Errorf("the binding has %q", got)
		}
	})
	t.Run("RG-003", onStage(func(s *stage) {
		p, one := phoneOf(s.t, s.Bed, udp, "bob"), s.agent("bob", at(0))
		p.Register(Contact("<"+one.ContactURI(udp)+">"), Line("Record-Route: <sip:192.0.2.66;lr>")).Expect(200)
		s.alice.Invite(bobAOR)
		refuse(one.Expect("INVITE").Lacks("Route"), 486)
		s.alice.Expect("486 INVITE")
	}))
	t.Run("RG-004", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(Line("Record-Route: <sip:x.example;lr>")).Expect(401).Lacks("Record-Route")
		p.Register(Contact("<"+one+">"), Line("Record-Route: <sip:x.example;lr>")).Expect(200).Lacks("Record-Route")
		p.Register(Contact("*"), Line("Record-Route: <sip:x.example;lr>")).Expect(400).Lacks("Record-Route")
	})
	t.Run("RG-010", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">"), Line("Require: path, foo", "Require: bar")).Expect(420).Want("Unsupported", "foo, bar")
		p.Bound()
		p.Register(Contact("<"+one+">"), Line("Require: path")).Expect(200).Bound(one)
	})
	t.Run("RG-043", func(t *testing.T) {
		p := newPhone(t, b)
		date := p.Register(Contact("<" + one + ">")).Expect(200).Header("Date")
		at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", date)
		if err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("Date %q: %v", date, err)
		}
		if p.Query().Expect(200).Header("Date") == "" {
			t.Error("a query's 200 has no Date")
		}
	})
	t.Run("RG-051/HD-001", func(t *testing.T) {
		p := newPhone(t, b)
		const second, third = "SIP/2.0/UDP a.example;branch=z9hG4bK1;x", "SIP/2.0/TCP b.example:5070;branch=z9hG4bK2;received=192.0.2.7"
		edits := []Edit{Contact("<" + one + ">"), Line("Via: "+second+", "+third, "v: SIP/2.0/TLS c.example;branch=z9hG4bK3"),
			From(`"B. \"ob\"" <sip:bob@biloxi.example.com>;tag=a;x="1"`), To(`Bob <` + p.AOR() + `>;y=2`)}
		for _, r := range []*Response{p.Once(edits...).Expect(401), p.Register(edits...).Expect(200), p.Register(append(edits, Contact("*"))...).Expect(400)} {
			r.Want("From", `"B. \"ob\"" <sip:bob@biloxi.example.com>;tag=a;x="1"`)
			if !strings.HasPrefix(r.Header("To"), `Bob <`+p.AOR()+`>;y=2;tag=`) {
				r.Fatalf("the To is not mirrored")
			}
			r.Want("Call-ID", requestHeader(r, "Call-ID")).Want("CSeq", requestHeader(r, "CSeq"))
			vias := allVias(r)
			if len(vias) != 4 || vias[1] != second || vias[2] != third || vias[3] != "SIP/2.0/TLS c.example;branch=z9hG4bK3" {
				r.Fatalf("the Vias are %q", vias)
			}
		}
	})
}

// requestHeader is the value of a header field of the request that r answers.
func requestHeader(r *Response, name string) string {
	var m sip.Message
	if err := m.Parse([]byte(r.Request)); err != nil {
		r.Fatalf("request: %v", err)
	}
	v, _ := m.Value(sip.HeaderOf([]byte(name)))
	return string(v)
}

// allVias splits all Via lines into their values.
func allVias(r *Response) []string {
	var list []string
	for _, line := range r.Values("Via") {
		rest := []byte(line)
		for rest != nil {
			v, more, err := sip.NextVia(rest)
			if err != nil {
				r.Fatalf("Via: %v", err)
			}
			list = append(list, string(v.Raw()))
			rest = more
		}
	}
	return list
}

// TestOtherMethods: what a registrar says to requests that it has no use for.
func TestOtherMethods(t *testing.T) {
	b := start(t)
	t.Run("RG-001", func(t *testing.T) {
		p := newPhone(t, b)
		for _, m := range []string{"SUBSCRIBE", "INVITE", "MESSAGE", "BYE"} {
			r := p.Once(Method(m)).Expect(405)
			if !r.HasToken(sip.HeaderAllow, "register") {
				r.Fatalf("Allow does not list REGISTER")
			}
			if m == "INVITE" {
				p.Send([]byte(strings.NewReplacer("INVITE", "ACK").Replace(string(p.Sent))))
			}
		}
	})
	t.Run("RG-054", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(Method("FOO")).Expect(501)
		p.Once(Method("PUBLISH")).Expect(405)
		if len(p.Once(Method("NOTIFY")).Expect(405).Values("Allow")) == 0 {
			t.Error("405 without Allow")
		}
		p.Once(Method("register")).Expect(501)
	})
}
