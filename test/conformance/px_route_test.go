package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestRoutes: what becomes of the Request-URI and the Route before it is decided where a request goes (RFC 3261
// §16.4).
func TestRoutes(t *testing.T) {
	const me = "<sip:" + proxyAt + ";lr>"
	t.Run("PX-016", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob, third := p.alice(udp), p.bob(), p.stranger("third", thirdAt)
			invite := alice.Invite(toBob)
			call, _ := p.answered(invite, bob, bob.Expect("INVITE"))
			// A strict router upstream has made a Request-URI of the server's Record-Route.
			record := nameURI(call.Routes[0])
			call.Request("INFO", URI(record), Replace("Route", "<"+call.Target+">"))
			bob.Reply(bob.Expect("INFO").WantURI(call.Target).Lacks("Route"), 200)
			alice.Expect("200 INFO")
			call.Request("BYE", URI(record), Replace("Route", "<sip:"+thirdAt+";lr>, <"+call.Target+">"))
			quiet(bob)
			third.Expect("BYE").WantURI(call.Target).WantList("Route", "<sip:"+thirdAt+";lr>")
		}, trusting) // a Route of their own is for nobody else (S1)
		// What stands in the user part of the Record-Route of a connection comes back with it.
		onPath(t, func(p *path) {
			alice, bob := p.alice(tcp), p.bob()
			invite := alice.Invite(toBob)
			_, call := p.answered(invite, bob, bob.Expect("INVITE"))
			call.Toward(p.Hop(udp)).Request("INFO", URI(nameURI(call.Routes[0])), Replace("Route", strings.Join(call.Routes[1:], ", ")+", <"+call.Target+">"))
			alice.Reply(alice.Expect("INFO").WantURI(call.Target).Lacks("Route"), 200)
			bob.Expect("200 INFO")
		})
		onPath(t, func(p *path) {
			alice, other := p.alice(udp), p.stranger("carol", otherAt)
			alice.Invite("sip:"+proxyAt+";lr", Route("<sip:carol@"+otherAt+">"))
			other.Expect("INVITE").WantURI("sip:carol@" + otherAt).Lacks("Route")
		}, trusting)
	})
	t.Run("PX-017", func(t *testing.T) {
		onPath(t, func(p *path) {
			bob := p.bob()
			for _, transport := range transports {
				alice := p.alice(transport)
				for _, params := range transportParams[transport] {
					invite := alice.Invite(toBob + params)
					offer := bob.Expect("INVITE").WantURI(bob.ContactURI(udp))
					refused(invite, offer)
				}
				alice.Close()
			}
		})
		onPath(t, func(p *path) {
			alice, other := p.alice(udp), p.stranger("carol", otherAt)
			alice.Invite("sip:carol@other.example.com:5060;user=phone;maddr=" + proxyAt)
			other.Expect("INVITE").WantURI("sip:carol@other.example.com;user=phone")
		}, trusting)
	})
	t.Run("PX-018", func(t *testing.T) {
		for _, route := range [][]Edit{{Route(me, "<sip:"+thirdAt+";lr>")}, {Route(me), Route("<sip:" + thirdAt + ";lr>")},
			{Route(me, "<sip:"+proxyAt+":5060;lr;transport=udp>", "<sip:"+thirdAt+";lr>")}, {Route("Proxy <sip:"+bed.Domain+":5060;lr>;x=y", "<sip:"+thirdAt+";lr>")}} {
			onPath(t, func(p *path) {
				alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
				alice.Invite("sip:carol@other.example.com", route...)
				third.Expect("INVITE").WantURI("sip:carol@other.example.com").WantList("Route", "<sip:"+thirdAt+";lr>")
				quiet(other)
			}, trusting)
		}
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob, Route(me))
			bob.Expect("INVITE").Lacks("Route")
		})
	})
	t.Run("PX-019", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, third := p.alice(udp), p.stranger("third", thirdAt)
			routes := []string{"<sip:" + bed.Domain + ";maddr=" + thirdAt + ";lr>"}
			alice.Invite("sip:carol@other.example.com", Route(routes...))
			third.Expect("INVITE").WantList("Route", routes...)
		}, trusting)
		onPath(t, func(p *path) {
			alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
			routes := []string{"Third <sip:" + thirdAt + ";lr;x=y>;z", "<sip:" + proxyAt + ";lr>"}
			alice.Invite("sip:carol@other.example.com", Route(routes...))
			third.Expect("INVITE").WantURI("sip:carol@other.example.com").WantList("Route", routes...)
			quiet(other)
		}, trusting)
	})
	t.Run("PX-020", func(t *testing.T) {
		for _, uri := range []string{"sip:carol@other.example.com;maddr=" + thirdAt, toBob + ";maddr=" + thirdAt} {
			onPath(t, func(p *path) {
				alice, bob, other, third := p.alice(udp), p.bob(), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
				alice.Invite(uri)
				third.Expect("INVITE").WantURI(uri)
				quiet(other, bob)
			}, trusting)
		}
		// It is no way around who may be relayed for.
		onPath(t, func(p *path) {
			alice, bob, third := p.alice(udp), p.bob(), p.stranger("third", thirdAt)
			invite := alice.Invite(toBob + ";maddr=" + thirdAt)
			invite.Ack(alice.Expect(403))
			quiet(bob, third)
		})
	})
	t.Run("PX-021", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob, other := p.alice(udp), p.bob(), p.stranger("carol", otherAt)
			for _, uri := range []string{"sip:bob@other.example.com", "sip:%62ob;x=y:pw@Other.Example.com:5060;USER=phone;foo;transport=UDP",
				"sip:other.example.com"} {
				invite := alice.Invite(uri)
				refused(invite, other.Expect("INVITE").WantURI(uri))
			}
			quiet(bob)
		}, trusting)
	})
}

// transportParams are those of a URI whose maddr leads to the server over a transport.
var transportParams = map[sip.Transport][]string{
	udp: {";maddr=" + proxyAt, ":5060;maddr=" + proxyAt + ";transport=udp"},
	tcp: {";transport=tcp;maddr=" + proxyAt, ":5060;maddr=" + proxyAt + ";transport=TCP"},
}

// nameURI is the URI of a Route's or Record-Route's value.
func nameURI(value string) string {
	return value[1 : len(value)-1]
}

// refused has the callee refuse the call of invite, so that nothing more comes of it.
func refused(invite *Sent, offer *Received) {
	offer.T.Helper()
	offer.Agent.Reply(offer, 486)
	offer.Agent.Expect("ACK")
	invite.Ack(invite.Agent.Expect("486 INVITE"))
}

// TestTargets: whom a request goes to (RFC 3261 §16.5).
func TestTargets(t *testing.T) {
	t.Run("PX-022", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			for _, uri := range []string{"sip:%62ob@" + bed.Domain + ";user=phone", "sip:b%6fb@Biloxi.EXAMPLE.com", "sip:bob@" + bed.Domain + ":5060;x=y",
				"sip:bob:secret@" + bed.Domain, "sip:bob@" + proxyAt, "SIP:bob@" + bed.Host, "sip:bob@" + bed.Domain + "."} {
				invite := alice.Invite(uri, To("<"+toBob+">"))
				refused(invite, bob.Expect("INVITE").WantURI(bob.ContactURI(udp)))
			}
		}, func(c *config.Config) { c.Domains[0].Aliases = append(c.Domains[0].Aliases, proxyAt) })
	})
	t.Run("PX-024", func(t *testing.T) {
		onPath(t, func(p *path) {
			const contact = "sip:bob@" + bobAt
			alice, bob := p.alice(udp), p.bob("<"+contact+">", "<"+contact+";method=INVITE>;q=0.5", "<"+contact+"?Subject=x>;q=0.3")
			invite := alice.Invite(toBob)
			refused(invite, bob.Expect("INVITE").WantURI(contact))
			quiet(bob)
		})
		// Of what a 3xx leads to, only what has not been tried.
		onPath(t, func(p *path) {
			const first, second = "sip:bob@" + bobAt, "sip:bob@" + otherAt
			alice, bob, other, third := p.alice(udp), p.bob("<"+first+">", "<"+second+">"), p.stranger("other", otherAt), p.stranger("third", thirdAt)
			invite := alice.Invite(toBob)
			offer, also := bob.Expect("INVITE"), other.Expect("INVITE")
			other.Reply(also, 180)
			alice.Expect(180)
			bob.Reply(offer, 302, Contact("<"+second+">", "<"+first+">", "<sip:bob@"+thirdAt+">"))
			bob.Expect("ACK")
			last := third.Expect("INVITE")
			known := Contact("<"+first+">", "<sip:BOB@"+thirdAt+">", "<sip:bob@"+thirdAt+":5060>", "<sip:bob@"+thirdAt+">")
			third.Reply(last, 301, known)
			// Two of these are other URIs (§19.1.4) that have not been tried yet.
			for want := 2; want >= 0; want -= 2 {
				fresh := slices.DeleteFunc(third.Drain(), func(r *Received) bool { return r.Is("ACK") })
				if len(fresh) != want {
					p.t.Fatalf("%d requests, want %d", len(fresh), want)
				}
				for _, again := range fresh {
					third.Reply(again, 302, known)
				}
			}
			quiet(third, bob, other)
			refused(invite, also)
			quiet(third, bob, other)
		}, func(c *config.Config) { c.Proxy.Recurse = true })
	})
	t.Run("PX-025", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
			invite := alice.Invite("sip:carol@other.example.com")
			other.Reply(other.Expect("INVITE"), 302, Contact("<sip:carol@"+thirdAt+">"))
			other.Expect("ACK")
			invite.Ack(alice.Expect("302 INVITE").Want("Contact", "<sip:carol@"+thirdAt+">"))
			quiet(third)
		}, trusting, func(c *config.Config) { c.Proxy.Recurse = true })
	})
	t.Run("PX-026", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice := p.alice(udp)
			invite := alice.Invite("sip:nosuch@" + bed.Domain)
			invite.Ack(alice.Expect("404 INVITE"))
			alice.Request("OPTIONS", "sip:nosuch@"+bed.Domain)
			alice.Expect("404 OPTIONS")
		})
	})
	t.Run("PX-027", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice := p.alice(udp)
			invite := alice.Invite(toBob)
			invite.Ack(alice.Expect("480 INVITE"))
			alice.Request("OPTIONS", toBob)
			alice.Expect("480 OPTIONS")
			bob := p.bob("<sip:bob@" + bobAt + ">;expires=100")
			alice.Request("MESSAGE", toBob)
			bob.Reply(bob.Expect("MESSAGE"), 200)
			alice.Expect("200 MESSAGE")
			time.Sleep(101 * time.Second)
			invite = alice.Invite(toBob)
			invite.Ack(alice.Expect("480 INVITE"))
			quiet(bob)
		})
	})
	t.Run("PX-028", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob, other, third := p.alice(udp), p.bob("<sip:bob@"+thirdAt+">;q=0.5", "<sip:bob@"+bobAt+">;q=1.0", "<sip:bob@"+otherAt+">"),
				p.stranger("other", otherAt), p.stranger("third", thirdAt)
			invite := alice.Invite(toBob)
			offer, also := bob.Expect("INVITE"), other.Expect("INVITE")
			if late := also.At.Sub(offer.At); late != 0 {
				also.Fatalf("%v after the other of its q", late)
			}
			bob.Reply(offer, 486)
			bob.Expect("ACK")
			other.Reply(also, 180)
			alice.Expect(180)
			quiet(third)
			other.Reply(also, 404)
			other.Expect("ACK")
			last := third.Expect("INVITE")
			p.answered(invite, third, last)
			quiet(bob, other)
		})
	})
}
