package conformance

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"biloxi/admin"
	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestReachable: what is registered, and what of it can be reached, as an administrator is shown it.
func TestReachable(t *testing.T) {
	// shown are the contacts of a user that are shown, each with a "!" if it is not reachable.
	shown := func(t *testing.T, b *bed.Bed, user string) (list []string) {
		t.Helper()
		a := admin.Direct{Domains: b.Server.Domains, Flows: b.Server.Flows(), Now: time.Now,
			Locations: func() (admin.Locations, error) { return b.Server.Location(), nil }}
		one, err := a.FindLocation(context.Background(), user+"@"+bed.Domain)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range one.Bindings {
			mark := "!"
			if b.Reachable {
				mark = ""
			}
			list = append(list, mark+b.Contact)
		}
		slices.Sort(list)
		return list
	}
	// await fails the test unless these are shown, and so many of all bindings are reachable.
	await := func(t *testing.T, b *bed.Bed, user string, reachable int, want ...string) {
		t.Helper()
		time.Sleep(time.Second) // of the bubble: what has come is seen
		slices.Sort(want)
		if got := shown(t, b, user); !slices.Equal(got, want) {
			t.Errorf("shown is %q, want %q", got, want)
		}
		if got := b.Server.Reachable(); got != reachable {
			t.Errorf("%d are reachable, want %d", got, reachable)
		}
	}
	contactOf := func(p *Phone) string { return fmt.Sprintf("%s:%s@%s", p.Scheme, p.User, p.Conn.Local()) }
	t.Run("restart: what came over a connection is not reachable until its phone is back", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			user := b.User()
			var all []*Phone
			var contacts []string
			for i, over := range []sip.Transport{udp, tcp, tls} {
				p := phoneOf(t, b, over, user)
				all, contacts = append(all, p), append(contacts, contactOf(p))
				p.Register(Contact(fmt.Sprintf(`<%s>;+sip.instance="<urn:uuid:%d>"`, contacts[i], i))).Expect(200)
			}
			await(t, b, user, 3, contacts...)
			b.Restart()
			await(t, b, user, 1, contacts[0], "!"+contacts[1], "!"+contacts[2])
			for i, over := range []sip.Transport{tcp, tls} {
				p := phoneOf(t, b, over, user)
				contacts[i+1] = contactOf(p)
				p.Register(Contact(fmt.Sprintf(`<%s>;+sip.instance="<urn:uuid:%d>"`, contacts[i+1], i+1))).Expect(200)
				all[i+1] = p
			}
			await(t, b, user, 3, contacts...)
			// And at once when a connection closes while the server runs.
			all[1].Conn.Close()
			await(t, b, user, 2, contacts[0], "!"+contacts[1], contacts[2])
			all[2].Conn.Close()
			await(t, b, user, 1, contacts[0], "!"+contacts[1], "!"+contacts[2])
		})
	})
	t.Run("restart: what is not reachable does not count against max_contacts", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			user := b.User()
			for range 2 {
				p := phoneOf(t, b, tcp, user)
				p.Register(Contact("<" + contactOf(p) + ">")).Expect(200)
			}
			phoneOf(t, b, tcp, user).Register(Contact("<sip:third@192.0.2.3>")).Expect(500)
			b.Restart()
			var back []string
			for range 2 {
				p := phoneOf(t, b, tcp, user)
				back = append(back, contactOf(p))
				p.Register(Contact("<" + back[len(back)-1] + ">")).Expect(200)
			}
			await(t, b, user, 2, back...)
		}, func(c *config.Config) { c.Registrar.MaxContacts = 2 })
	})
	t.Run("a phone behind an edge proxy is reachable by its Path", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := phoneOver(t, b, tcp)
			p.Register(Line("Supported: path", "Path: <sip:edge.example.com;lr>"), Contact("<sip:far@192.0.2.9>")).Expect(200)
			b.Restart()
			await(t, b, p.User, 1, "sip:far@192.0.2.9")
		})
	})
}
