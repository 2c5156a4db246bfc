package flows

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
)

// TestSecure is flow 3.2 with sips URIs, as the contacts of section 2 are: TLS on each hop (RFC 3261 §26.2.2), each
// certificate verified.
func TestSecure(t *testing.T) {
	c := cast{servers: twoProxies, bob: "bob", transport: sip.TLS}
	enact(t, c, func(w *world) {
		bobRegisters(w)
		route := Route("<sips:ss1.atlanta.example.com;lr>")
		first := w.alice.Invite("sips:bob@biloxi.example.com", route)
		refusal := w.alice.Expect(407)
		first.Ack(refusal)
		synctest.Wait()
		invite := first.Retry(w.alice.Credentials(refusal))
		w.alice.Expect(100)
		call := w.bob.Expect("INVITE").WantURI("sips:bob@client.biloxi.example.com").Want("Max-Forwards", "68").Lacks("Route", "Proxy-Authorization")
		call.Check(secureHops("ss2", "ss1"))
		w.bob.Reply(call, 180)
		w.alice.Expect(180)
		w.bob.Reply(call, 200)
		w.alice.Dialog(invite, w.alice.Expect(200)).Ack()
		w.bob.Expect("ACK").WantURI("sips:bob@client.biloxi.example.com").Lacks("Route")
		w.bob.Answered(call).Bye()
		w.alice.Reply(w.alice.Expect("BYE").WantURI("sips:alice@client.atlanta.example.com").Lacks("Route"), 200)
		w.bob.Expect("200 BYE")

		// RFC 5630 §5.3: a call to sips does not go on to a contact that is none.
		w.register("ss2", "biloxi.example.com", "<sips:bob@client.biloxi.example.com>;expires=0")
		w.register("ss2", "biloxi.example.com", "<sip:bob@client.biloxi.example.com;transport=tcp>")
		invite = w.alice.Invite("sips:bob@biloxi.example.com", route, w.alice.Known("atlanta.example.com"))
		w.alice.Expect(100)
		final := w.alice.Next(time.Second)
		if final == nil || final.Status() != 480 {
			t.Fatalf("%+v", final)
		}
		invite.Ack(final)
		w.bob.ExpectNothing(time.Second)
	})
}

// secureHops wants all Vias to say TLS, and the Record-Routes to be sips URIs of these elements.
func secureHops(routes ...string) func(*Received) string {
	return func(r *Received) string {
		for _, v := range r.List("Via") {
			if !strings.HasPrefix(v, "SIP/2.0/TLS ") {
				return "a hop is not secure: " + v
			}
		}
		var hosts []string
		for _, v := range r.List("Record-Route") {
			if !strings.HasPrefix(v, "<sips:") || !strings.Contains(v, ";lr") {
				return "a route is not secure: " + v
			}
			if h := hostOfURI(v); len(hosts) == 0 || hosts[len(hosts)-1] != h {
				hosts = append(hosts, h)
			}
		}
		for i, name := range routes {
			if i >= len(hosts) || hosts[i] != elements[name].host {
				return "the routes are " + strings.Join(hosts, ",")
			}
		}
		return ""
	}
}
