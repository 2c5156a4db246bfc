package conformance

import (
	"fmt"
	"testing"

	"biloxi/config"
	. "biloxi/siptest"
)

// TestContact: which URIs are one binding (RFC 3261 §10.3 step 7, §19.1.4), and what is kept of each.
func TestContact(t *testing.T) {
	b := start(t)

	t.Run("RG-031", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:b@192.0.2.1:5070>")).Expect(200)
		p.Register(Contact("<sip:b@192.0.2.1:5071>")).Expect(200).Bound("sip:b@192.0.2.1:5070", "sip:b@192.0.2.1:5071")
	})
	t.Run("RG-032/T6", func(t *testing.T) {
		for _, pair := range [][2]string{
			{"sip:b@host.example;transport=udp", "sip:b@HOST.example;Transport=UDP"},
			{"sip:b@host.example;transport=tcp;lr", "sip:b@host.example;lr;transport=TCP"},
			{"sip:%62@host.example", "sip:b@host.example"},
			{"sip:b@host.example;newparam=5", "sip:b@host.example"},
			{"SIP:b@host.example", "sip:b@host.example"},
			{"sip:b@host.example?Subject=x&Priority=urgent", "sip:b@host.example?priority=urgent&subject=x"},
			{"sip:b@[2001:db8::1]", "sip:b@[2001:DB8:0:0::1]"},
		} {
			p := newPhone(t, b)
			p.Register(Contact("<" + pair[0] + ">;q=0.1")).Expect(200).Bound(pair[0])
			p.Register(Contact("<" + pair[1] + ">;q=0.2")).Expect(200).Bound(pair[1])
		}
	})
	t.Run("RG-033", func(t *testing.T) {
		for _, param := range []string{";maddr=192.0.2.7", ";user=phone", ";ttl=1", ";method=INVITE"} {
			p := newPhone(t, b)
			p.Register(Contact("<sip:b@192.0.2.1>", "<sip:b@192.0.2.1"+param+">")).Expect(200).
				Bound("sip:b@192.0.2.1", "sip:b@192.0.2.1"+param)
		}
	})
	t.Run("RG-034", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:b@192.0.2.1>", "<sip:b@192.0.2.1:5060>")).Expect(200).Bound("sip:b@192.0.2.1", "sip:b@192.0.2.1:5060")
		p.Register(Contact("<sip:B@192.0.2.1>")).Expect(200).Bound("sip:b@192.0.2.1", "sip:B@192.0.2.1", "sip:b@192.0.2.1:5060")
	})
	t.Run("RG-037", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:b@192.0.2.1>", "<sip:b@192.0.2.2>")).Expect(200)
		p.Register(Contact("<sip:b@192.0.2.1>;expires=0")).Expect(200).Bound("sip:b@192.0.2.2")
		p.Bound("sip:b@192.0.2.2")
	})
	t.Run("RG-038", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:b@192.0.2.1>")).Expect(200)
		p.Register(Contact("<sip:b@192.0.2.9>"), Expires(0)).Expect(200).Bound("sip:b@192.0.2.1")
		p.Bound("sip:b@192.0.2.1")
	})
	t.Run("RG-044", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Register(Contact("<sip:b@192.0.2.1>;q=0.5", "<sip:b@192.0.2.2>;q=1.000", "<sip:b@192.0.2.3>;q=0", "<sip:b@192.0.2.4>")).Expect(200)
		for uri, want := range map[string]string{"sip:b@192.0.2.1": "0.5", "sip:b@192.0.2.2": "1", "sip:b@192.0.2.3": "0", "sip:b@192.0.2.4": ""} {
			if got, _ := r.Binding(uri).Param("q"); got != want {
				r.Fatalf("q of %s is %q, want %q", uri, got, want)
			}
		}
		p.Register(Contact("<sip:b@192.0.2.9>;q=1.5")).Expect(400)
	})
	t.Run("RG-045", func(t *testing.T) {
		p := newPhone(t, b)
		uris := []string{"mailto:bob@biloxi.example.com", "tel:+1-201-555-0123;phone-context=example.com", "http://bob.example.com/~b?x=1", "urn:service:sos"}
		var values []string
		for _, u := range uris {
			values = append(values, "<"+u+">")
		}
		r := p.Register(Contact(values...)).Expect(200).Bound(uris...)
		for _, u := range uris {
			r.Lasts(u, 4294967295, 0)
		}
		p.Register(Contact("mailto:bob@biloxi.example.com;expires=0")).Expect(200).Bound(uris[1:]...)
	})
	t.Run("RG-048", func(t *testing.T) {
		p := newPhone(t, b)
		const uri = "sip:b@192.0.2.1;ob;x=%41?Subject=a%20b"
		r := p.Register(Contact(`"Bob" <` + uri + `>;+sip.x="<y;z>";audio;mobility="fixed";expires=90`)).Expect(200).Bound(uri)
		for name, want := range map[string]string{"+sip.x": `"<y;z>"`, "audio": "", "mobility": `"fixed"`} {
			if got, ok := p.Query().Expect(200).Binding(uri).Param(name); !ok || got != want {
				r.Fatalf("%s is %q, want %q", name, got, want)
			}
		}
	})
	t.Run("RG-006/T1", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(Contact("<sip:b@192.0.2.1>")).Expect(200)
		for _, bad := range []string{"<sip:b@192.0.2.3>;expires=5", "<sip:b@192.0.2.3>;q=7", "<sip:b@192.0.2.3", "<nonsense>"} {
			p.Register(Contact("<sip:b@192.0.2.2>;expires=300", bad)).Expect(400, 423)
			p.Register(Contact(bad, "<sip:b@192.0.2.1>;expires=0")).Expect(400, 423)
		}
		p.Bound("sip:b@192.0.2.1")
		// A CSeq that is too low for one binding undoes the others of the same request.
		p.Register(CSeq(50), Contact("<sip:b@192.0.2.1>")).Expect(200)
		p.Register(CSeq(49), Contact("<sip:b@192.0.2.5>", "<sip:b@192.0.2.1>")).Failed()
		p.Bound("sip:b@192.0.2.1")
	})
}

// TestContactLimit: an AOR has no more bindings than the configuration allows.
func TestContactLimit(t *testing.T) {
	b := start(t, func(c *config.Config) { c.Registrar.MaxContacts = 3 })
	t.Run("RG-059", func(t *testing.T) {
		p := newPhone(t, b)
		var bound []string
		for i := range 3 {
			bound = append(bound, fmt.Sprintf("sip:b@192.0.2.%d", i+1))
			p.Register(Contact("<" + bound[i] + ">")).Expect(200).Bound(bound...)
		}
		p.Register(Contact("<sip:b@192.0.2.9>")).Failed()
		again(t, b, p).Register(Contact("<sip:b@192.0.2.9>")).Failed()
		p.Bound(bound...)
		// One that goes makes room in the same request, and a refresh needs none.
		p.Register(Contact("<" + bound[0] + ">")).Expect(200).Bound(bound...)
		p.Register(Contact("<sip:b@192.0.2.9>", "<"+bound[0]+">;expires=0")).Expect(200).Bound(bound[1], bound[2], "sip:b@192.0.2.9")
	})
}
