package conformance

import (
	"testing"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestAOR: whose bindings a REGISTER changes, and who may (RFC 3261 §10.3 steps 1 and 3 to 5).
func TestAOR(t *testing.T) {
	b := start(t)
	const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
	to := func(uri string) Edit { return To("<" + uri + ">") }
	bound := func(t *testing.T) *Phone {
		t.Helper()
		p := newPhone(t, b)
		p.Register(Contact("<" + one + ">")).Expect(200)
		return p
	}

	t.Run("RG-009", func(t *testing.T) {
		p := bound(t)
		p.Query(URI(p.AOR())).Expect(200).Bound(one)
		p.Query(URI("sip:nobody:secret@" + bed.Domain)).Expect(200).Bound(one)
	})
	t.Run("RG-011", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(Contact("<" + one + ">")).Expect(401)
		p.Bound()
	})
	t.Run("RG-012", func(t *testing.T) {
		p := bound(t)
		alice := phoneOf(t, b, p.Conn.Transport(), "alice")
		r := alice.Register(to(p.AOR()), Contact("<"+two+">")).Expect(403)
		r.Lacks("Contact")
		alice.Register(to(p.AOR()), Contact("*"), Expires(0)).Expect(403)
		alice.Query(to(p.AOR())).Expect(403)
		p.Bound(one)
	})
	t.Run("RG-013", func(t *testing.T) {
		p := newPhone(t, b)
		nobody := "sip:nosuch@" + bed.Domain
		p.Once(to(nobody), Contact("<"+one+">")).Expect(401)
		p.Register(to(nobody), Contact("<"+one+">")).Expect(404)
		p.Register(to("sip:"+p.User+"@elsewhere.example"), Contact("<"+one+">")).Expect(404)
		p.Bound()
	})
	t.Run("RG-014", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(to(p.AOR()+";user=phone;x=y"), Contact("<"+one+">")).Expect(200)
		p.Bound(one)
		p.Query(to("sip:" + p.User + "@" + bed.Domain + ":5060;transport=tcp")).Expect(200).Bound(one)
	})
	t.Run("RG-015", func(t *testing.T) {
		p := newPhone(t, b) // its user is u and a number
		p.Register(to("sip:%75"+p.User[1:]+"@"+bed.Domain), Contact("<"+one+">")).Expect(200)
		p.Bound(one)
	})
	t.Run("RG-016", func(t *testing.T) {
		p := bound(t)
		p.Query(URI("sip:BILOXI.Example.COM"), to("sip:"+p.User+"@BILOXI.Example.COM")).Expect(200).Bound(one)
		p.Query(to("sip:U" + p.User[1:] + "@" + bed.Domain)).Expect(404)
	})
	t.Run("RG-050", func(t *testing.T) {
		p := bound(t)
		p.Query(URI("sip:" + bed.Host)).Expect(200).Bound(one)
		p.Query(URI("sip:"+bed.Host), to("sip:"+p.User+"@"+bed.Host)).Expect(200).Bound(one)
		p.Query(URI("sip:elsewhere.example")).Expect(404)
	})
	t.Run("RG-052", func(t *testing.T) {
		p := bound(t)
		admin := phoneOf(t, b, p.Conn.Transport(), "admin")
		admin.Register(to(p.AOR()), Contact("<"+two+">")).Expect(200).Bound(one, two)
		// The From says who sends; what counts is whose credentials these are.
		p.Register(From("<sip:somebody@elsewhere.example>;tag=1"), Contact("<"+one+">;expires=0")).Expect(200).Bound(two)
	})
}

// TestAORSecure: a sip and a sips AOR are one (RFC 5630 §5.2).
func TestAORSecure(t *testing.T) {
	b := start(t)
	t.Run("RG-017", func(t *testing.T) {
		user := b.User()
		secure := phoneOf(t, b, tls, user)
		secure.Register(Contact("<sips:one@192.0.2.1>")).Expect(200).Bound("sips:one@192.0.2.1")
		plain := phoneOf(t, b, udp, user)
		plain.Bound("sips:one@192.0.2.1")
		plain.Register(Contact("<sip:two@192.0.2.2>")).Expect(200)
		secure.Bound("sips:one@192.0.2.1", "sip:two@192.0.2.2")
	})
}
