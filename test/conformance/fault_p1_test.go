package conformance

import (
	"fmt"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultP1: a phone that comes back and back, each time from another port, which its Contact names.
func TestFaultP1(t *testing.T) {
	// comeBack has a user's phone connect and register times times; hang says whether it closes before it comes back.
	comeBack := func(t *testing.T, b *bed.Bed, over sip.Transport, user, params string, times int, hang bool) (last *Phone, contact string) {
		callID := Token()
		for i := range times {
			p := phoneOf(t, b, over, user)
			contact = fmt.Sprintf("%s:%s@%s", p.Scheme, user, p.Conn.Local())
			p.Register(CallID(callID), CSeq(uint32(i+1)), Contact("<"+contact+">"+params), Expires(3600)).Expect(200)
			if hang && i < times-1 {
				p.Conn.Close()
			}
			time.Sleep(5 * time.Second)
			last = p
		}
		return last, contact
	}
	for _, over := range []sip.Transport{udp, tcp, tls} {
		for _, hang := range []bool{false, true} {
			t.Run(fmt.Sprintf("P1 one instance over %s, hanging up %v, has one contact", over, hang), func(t *testing.T) {
				simulate(t, func(t *testing.T, b *bed.Bed) {
					p, contact := comeBack(t, b, over, b.User(), ";"+instanceA, 25, hang)
					p.Bound(contact)
				})
			})
		}
	}
	t.Run("P1 one instance that names another port each time, over one flow, has one contact", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for _, over := range []sip.Transport{udp, tcp} {
				p, contact := phoneOver(t, b, over), ""
				for i := range 25 {
					contact = fmt.Sprintf("sip:b@192.0.2.1:%d", 20000+i)
					p.Register(Contact("<" + contact + ">;" + instanceA)).Expect(200)
				}
				p.Bound(contact)
			}
		})
	})
	t.Run("P1 one Call-ID, whose connections have closed, has one contact", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for _, over := range []sip.Transport{tcp, tls} {
				p, contact := comeBack(t, b, over, b.User(), "", 25, true)
				p.Bound(contact)
			}
		})
	})
	t.Run("P1 without an instance, and with a new Call-ID each time, none is refused", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for _, over := range []sip.Transport{tcp, tls} {
				user := b.User()
				desk := phoneOf(t, b, over, user)
				fixed := desk.Scheme + ":desk@192.0.2.250"
				desk.Register(Contact("<" + fixed + ">")).Expect(200)
				for range 25 {
					p, contact := comeBack(t, b, over, user, "", 1, false)
					r := p.Query().Expect(200)
					if r.Binding(contact); r.Binding(fixed).Expires == 0 || len(r.Contacts()) > 10 {
						r.Fatalf("not the phone on the desk and at most nine others")
					}
					p.Conn.Close()
					time.Sleep(time.Second)
				}
			}
			user := b.User()
			for port := range 25 {
				c, err := b.Network().ListenPacket("udp", fmt.Sprint("192.0.2.240:", 20000+port))
				if err != nil {
					t.Fatal(err)
				}
				p := NewPhone(t, OverPacket(c, b.Addr(udp)), user, bed.Domain, bed.Password(user))
				p.Register(Contact(fmt.Sprintf("<sip:%s@192.0.2.240:%d>", user, 20000+port))).Expect(200)
				c.Close()
				time.Sleep(time.Second)
			}
		})
	})
	t.Run("P1 a full list is never 403, and says when to come again", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			for i := range 10 {
				p.Register(Contact(fmt.Sprintf("<sip:b@192.0.2.%d>", i+1))).Expect(200)
			}
			r := p.Register(Contact("<sip:b@192.0.2.99>")).Expect(500)
			if len(r.Values("Retry-After")) != 1 {
				t.Errorf("no Retry-After in\n%s", r.Raw)
			}
		})
	})
	t.Run("P1 the oldest goes where the configuration says so", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			for i := range 4 {
				p.Register(Contact(fmt.Sprintf("<sip:b@192.0.2.%d>", i+1))).Expect(200)
				time.Sleep(time.Second)
			}
			p.Bound("sip:b@192.0.2.2", "sip:b@192.0.2.3", "sip:b@192.0.2.4")
		}, func(c *config.Config) { c.Registrar.MaxContacts, c.Registrar.WhenFull = 3, config.FullOldest })
	})
}
