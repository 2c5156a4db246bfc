package conformance

import (
	"testing"

	. "biloxi/siptest"
)

// TestStar: "Contact: *" removes all bindings of an AOR, or none (RFC 3261 §10.3 step 6).
func TestStar(t *testing.T) {
	b := start(t)
	const one, two, three = "sip:one@192.0.2.1", "sip:two@192.0.2.2", "mailto:three@example.com"
	bound := func(t *testing.T) *Phone {
		t.Helper()
		p := newPhone(t, b)
		p.Register(Contact("<"+one+">", "<"+two+">")).Expect(200)
		return p
	}

	t.Run("RG-020", func(t *testing.T) {
		p := bound(t)
		p.Register(Contact("*"), Expires(60)).Expect(400)
		p.Register(Contact("*"), Expires(1)).Expect(400)
		p.Bound(one, two)
	})
	t.Run("RG-021/T3", func(t *testing.T) {
		p := bound(t)
		p.Register(Contact("*")).Expect(400)
		p.Bound(one, two)
	})
	t.Run("RG-022", func(t *testing.T) {
		p := bound(t)
		p.Register(Contact("*", "<sip:new@192.0.2.4>"), Expires(0)).Expect(400)
		p.Register(Contact("<sip:new@192.0.2.4>", "*"), Expires(0)).Expect(400)
		p.Register(Contact("<"+one+">, *"), Expires(0)).Expect(400)
		p.Bound(one, two)
	})
	t.Run("RG-023", func(t *testing.T) {
		p := bound(t)
		again(t, b, p).Register(Contact("<"+three+">")).Expect(200).Bound(one, two, three)
		last := again(t, b, p)
		last.Register(Contact("*"), Expires(0)).Expect(200).Bound().Lacks("Contact")
		p.Bound()
	})
	t.Run("RG-024/T2", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(CSeq(10), Contact("<"+one+">")).Expect(200)
		p.Register(CSeq(11), Contact("<"+two+">")).Expect(200)
		p.Register(CSeq(5), Contact("*"), Expires(0)).Failed()
		p.Bound(one, two)
		// One binding is older than the request and one is younger: neither goes.
		p.Register(CSeq(11), Contact("*"), Expires(0)).Failed()
		p.Bound(one, two)
		p.Register(CSeq(12), Contact("*"), Expires(0)).Expect(200).Bound()
		p.Bound()
		// It is replayed when the phone is bound again.
		p.Register(CSeq(13), Contact("<"+one+">")).Expect(200)
		p.Register(CSeq(12), Contact("*"), Expires(0)).Failed()
		p.Bound(one)
	})
}
