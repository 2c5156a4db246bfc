package flows

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// variant runs a script and checks the common rules on all that goes over the wire. It returns what each hop
// saw: "ss1>ss2 INVITE", in order.
func variant(t *testing.T, c cast, before, script func(*world)) (seen []string) {
	t.Helper()
	heard := enact(t, c, func(w *world) {
		before(w)
		w.begin()
		script(w)
	})
	for i, m := range heard {
		seen = append(seen, c.who(m.From)+">"+c.who(m.To)+" "+m.Is())
		for _, f := range c.common(heard, i) {
			t.Errorf("%s of %s: %s\n%s", f.check, m, f.text, m.Raw)
		}
	}
	return seen
}

// count is how often something was seen.
func count(seen []string, what string) (n int) {
	for _, s := range seen {
		if s == what {
			n++
		}
	}
	return n
}

func wantCount(t *testing.T, seen []string, what string, n int) {
	t.Helper()
	if got := count(seen, what); got != n {
		t.Errorf("%s: %d times, want %d, of\n%s", what, got, n, strings.Join(seen, "\n"))
	}
}

var (
	udpCast  = cast{servers: twoProxies, bob: "bob", transport: sip.UDP}
	oneProxy = cast{servers: map[string]string{"ss2": "proxy2-no-record-route.toml"}, bob: "bob", transport: sip.UDP}
)

// TestOverTheOtherTransport: the flows whose timing does not hang on the transport, over the one that the RFC
// does not print.
func TestOverTheOtherTransport(t *testing.T) {
	for _, c := range calls {
		if !slices.Contains([]string{"3.2", "3.3", "3.8", "3.9", "3.11"}, c.number) {
			continue
		}
		from, to := sip.UDP, sip.TCP
		if c.cast.transport == sip.TCP {
			from, to = sip.TCP, sip.UDP
		}
		c.cast.transport = to
		c.messages = strings.ReplaceAll(c.messages, " "+from.String()+" ", " "+to.String()+" ")
		t.Run(c.number+" over "+to.String(), func(t *testing.T) { c.run(t) })
	}
}

// TestRedirection is what the redirect server of 3.6 does with requests that it does not understand: it redirects
// them all the same (RFC 3261 §8.3), and sends no request of its own.
func TestRedirection(t *testing.T) {
	c := cast{servers: map[string]string{"redirect": "redirect.toml"}, bob: "mobile", transport: sip.UDP}
	seen := variant(t, c, func(w *world) {
		w.register("redirect", "biloxi.example.com", "<sip:bob@chicago.example.com;transport=tcp>")
	}, func(w *world) {
		w.alice.Outbound = w.hop("redirect")
		for _, edit := range []Edit{Line("Require: foo"), Line("Unheard-Of: 1")} {
			invite := w.alice.Invite(bobURI, edit)
			invite.Ack(w.alice.Expect(302).Carries("Contact", "<sip:bob@chicago.example.com;transport=tcp>"))
			synctest.Wait()
		}
		w.alice.Request("MESSAGE", bobURI)
		w.alice.Expect("302 MESSAGE")
		w.alice.Request("DANCE", bobURI)
		w.alice.Expect("302 DANCE")
		invite := w.alice.Invite("sip:nobody@biloxi.example.com")
		invite.Ack(w.alice.Expect(404))
		synctest.Wait()
	})
	wantCount(t, seen, "redirect>mobile INVITE", 0)
	for _, s := range seen {
		if strings.HasPrefix(s, "redirect>") && !strings.HasPrefix(s, "redirect>alice ") {
			t.Errorf("it sends %s", s)
		}
	}
}

// TestClosedConnection: a phone has closed its connection when it is wanted again. It listens where its Contact
// says, so that a connection to it can be opened; only a flow of RFC 5626 would be gone for good.
func TestClosedConnection(t *testing.T) {
	c := cast{servers: twoProxies, bob: "bob", transport: sip.TCP}
	t.Run("of the caller", func(t *testing.T) {
		seen := variant(t, c, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 200)
			w.alice.Dialog(invite, w.alice.Expect(200)).Ack()
			w.bob.Expect("ACK")
			w.alice.Hang()
			synctest.Wait()
			w.bob.Answered(call).Bye()
			w.alice.Reply(w.alice.Expect("BYE"), 200)
			w.bob.Expect("200 BYE")
		})
		wantCount(t, seen, "ss1>alice BYE", 1)
	})
	t.Run("of the registration", func(t *testing.T) {
		seen := variant(t, c, bobRegistersAliceIsKnown, func(w *world) {
			w.bob.Hang()
			synctest.Wait()
			invite, call := invited(w)
			w.bob.Reply(call, 486)
			w.bob.Expect("ACK")
			refused(w, invite, 486)
		})
		wantCount(t, seen, "ss2>bob INVITE", 1)
	})
}

// TestOfNothing: what belongs to no transaction.
func TestOfNothing(t *testing.T) {
	t.Run("ACK", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 200)
			dialog := w.alice.Dialog(invite, w.alice.Expect(200))
			w.at(2 * time.Minute) // the INVITE's transactions are gone
			dialog.Ack()
			w.bob.Expect("ACK")
		})
		wantCount(t, seen, "ss2>bob ACK", 1)
	})
	t.Run("CANCEL", func(t *testing.T) {
		variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 486)
			w.bob.Expect("ACK")
			refused(w, invite, 486)
			w.at(2 * time.Minute)
			invite.Cancel()
			w.alice.Expect("481 CANCEL")
		})
	})
}
