package conformance

import (
	"testing"

	. "biloxi/siptest"
)

// TestQuery: a REGISTER without Contact asks and changes nothing (RFC 3261 §10.2.3).
func TestQuery(t *testing.T) {
	b := start(t)
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2:5070;transport=tcp"

	t.Run("RG-018/T7", func(t *testing.T) {
		p := newPhone(t, b)
		p.Query().Expect(200).Bound()
		p.Register(Contact("<"+one+">;expires=300", "<"+two+">;expires=600")).Expect(200)
		first := p.Query().Expect(200).Bound(one, two).Lasts(one, 300, 1).Lasts(two, 600, 1)
		second := p.Query().Expect(200).Bound(one, two)
		if second.Binding(one).Expires > first.Binding(one).Expires {
			second.Fatalf("a query has refreshed a binding")
		}
		// The Call-ID and CSeq of a query are of no account for later changes.
		p.Register(CSeq(100)).Expect(200).Bound(one, two)
		p.Register(CSeq(2), Contact("<"+one+">;expires=300")).Expect(200).Bound(one, two)
	})
	t.Run("RG-019", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<" + one + ">;expires=300")).Expect(200)
		p.Query(Expires(0)).Expect(200).Bound(one).Lasts(one, 300, 1)
		p.Query(Expires(3000)).Expect(200).Bound(one).Lasts(one, 300, 1)
		p.Bound(one)
	})
	t.Run("RG-041", func(t *testing.T) {
		p := newPhone(t, b)
		other := again(t, b, p)
		p.Register(Contact("<" + one + ">")).Expect(200).Bound(one)
		other.Register(Contact("<"+two+">")).Expect(200).Bound(one, two)
		p.Bound(one, two)
	})
	t.Run("RG-053", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<" + one + ">")).Expect(200)
		if r := p.Once().Expect(401); len(r.Values("Contact")) > 0 {
			r.Fatalf("a 401 shows bindings")
		}
	})
}
