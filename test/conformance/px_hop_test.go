package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
)

// TestWhereTo: where a copy is sent to (RFC 3261 §16.6 steps 6 and 7, RFC 3263).
func TestWhereTo(t *testing.T) {
	const carol = "sip:carol@other.example.com"
	const deadAt, deadToo = "192.0.2.66", "192.0.2.67"

	t.Run("PX-040", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
			alice.Invite(carol)
			third.Expect("INVITE").WantURI(carol).WantList("Route", "<sip:third.example.com;lr>")
			quiet(other)
		}, trusting, func(c *config.Config) { c.Proxy.Outbound = []string{"sip:third.example.com;lr"} })
		onPath(t, func(p *path) {
			alice, bob, third := p.alice(udp), p.bob(), p.stranger("third", thirdAt)
			alice.Invite("sip:911@biloxi.example.com")
			third.Expect("INVITE").WantURI("sip:911@biloxi.example.com").WantList("Route", "<sip:third.example.com;x=y;lr>")
			alice.Invite(toBob)
			bob.Expect("INVITE").Lacks("Route")
		}, trusting, func(c *config.Config) {
			c.Routes = []config.Route{{Name: "emergency", User: "911", Hops: []string{"sip:third.example.com;x=y;lr"}}}
		})
	})
	t.Run("PX-041", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
			alice.Invite(carol, Route("<sip:third.example.com>"))
			third.Expect("INVITE").WantURI("sip:third.example.com").WantList("Route", "<"+carol+">")
			alice.Invite(carol+";x=y", Route("<sip:"+proxyAt+";lr>", "Strict <sip:u@third.example.com;a=b>;c=d"), Route("<sip:p2.example.com;lr>"))
			third.Expect("INVITE").WantURI("sip:u@third.example.com;a=b").WantList("Route", "<sip:p2.example.com;lr>", "<"+carol+";x=y>")
			quiet(other)
		}, trusting)
	})
	t.Run("PX-042", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, other, third := p.alice(udp), p.stranger("carol", otherAt), p.stranger("third", thirdAt)
			p.zone.Add(p.t, `
				_sip._tcp.srv.example.com. SRV 1 1 5060 third.example.com.
				srv.example.com. NAPTR 1 1 s SIP+D2T _sip._tcp.srv.example.com.`)
			for route, over := range map[string]string{"<sip:third.example.com;lr>": "UDP", "<sip:third.example.com;lr;transport=tcp>": "TCP",
				"<sip:srv.example.com;lr>": "TCP", "<sip:third.example.com:5060;lr>": "UDP"} {
				invite := alice.Invite(carol, Route(route))
				offer := third.Expect("INVITE").WantURI(carol).WantList("Route", route)
				if got := offer.Hop.Transport.String(); got != over {
					offer.Fatalf("%s leads over %s", route, over)
				}
				refused(invite, offer)
			}
			quiet(other)
			alice.Invite(carol)
			other.Expect("INVITE").WantURI(carol)
			alice.Invite("sip:carol@srv.example.com")
			third.Expect("INVITE").WantURI("sip:carol@srv.example.com")
		}, trusting)
	})
	t.Run("PX-043", func(t *testing.T) {
		const secret = "sips:carol@other.example.com"
		// Who listens where a next hop is asked for; the others would be taken by mistake.
		for name, c := range map[string]struct {
			edits    []Edit
			outbound []string
		}{
			"Request-URI": {},
			"Route":       {edits: []Edit{Route("<sip:third.example.com;lr>")}},
			"strict":      {edits: []Edit{Route("<sip:third.example.com>")}},
			"outbound":    {outbound: []string{"sip:third.example.com;lr"}},
			"tcp":         {edits: []Edit{Route("<sip:third.example.com;lr;transport=tcp>")}},
		} {
			for _, dead := range []bool{false, true} {
				onPath(t, func(p *path) {
					alice := p.alice(tls)
					p.tap.Messages()
					var names []string
					if !dead {
						names = []string{"other.example.com", "third.example.com"}
					}
					other, third := p.stranger("carol", otherAt, names...), p.stranger("third", thirdAt, names...)
					invite := alice.Invite(secret, c.edits...)
					if !dead {
						next := third
						if name == "Request-URI" {
							next = other
						}
						if offer := next.Expect("INVITE"); offer.Hop.Transport != tls {
							offer.Fatalf("%s: not over TLS", name)
						}
					} else if r := alice.ExpectWithin(time.Minute, 500); r != nil {
						invite.Ack(r)
					}
					quiet(other, third)
					if heard := p.tap.Messages(); len(heard) > 0 {
						p.t.Errorf("%s: in the clear: %v", name, heard)
					}
				}, trusting, func(cfg *config.Config) { cfg.Proxy.Outbound = c.outbound })
			}
		}
		onPath(t, func(p *path) {
			alice, bob := p.alice(tls), p.bob()
			invite := alice.Invite("sips:bob@biloxi.example.com")
			invite.Ack(alice.Expect("480 INVITE")) // RFC 5630 §5.3: his sip contact is none for it
			quiet(bob)
		})
	})
	t.Run("PX-044", func(t *testing.T) {
		zone := `
			_sip._udp.srv.example.com. SRV 10 1 5060 dead.example.com.
			_sip._udp.srv.example.com. SRV 20 1 5060 third.example.com.
			_sip._tcp.srv.example.com. SRV 10 1 5060 dead.example.com.
			_sip._tcp.srv.example.com. SRV 20 1 5060 third.example.com.
			dead.example.com. A ` + deadAt
		onPath(t, func(p *path) {
			p.zone.Add(p.t, zone)
			alice, third := p.alice(tcp), p.stranger("third", thirdAt)
			alice.Invite("sip:carol@srv.example.com")
			offer := third.ExpectWithin(time.Minute, "INVITE").WantURI("sip:carol@srv.example.com")
			copies := p.sent("INVITE")
			first, last := copies[0], copies[len(copies)-1]
			via, err := first.Via()
			if err != nil || first.To.Addr().String() != deadAt || last.To.Addr().String() != thirdAt || string(via.Branch()) == offer.Branch() {
				p.t.Errorf("sent %v", copies)
			}
			if first.Header("Call-ID") != offer.ID() || first.Header("CSeq") != offer.Header("CSeq") {
				offer.Fatalf("another request than\n%s", first.Raw)
			}
			invite := alice.Expect(100)
			third.Reply(offer, 200)
			alice.Expect("200 INVITE").Want("Call-ID", invite.ID())
		}, trusting)
		// Where the connection is refused, at once; and not only an INVITE.
		onPath(t, func(p *path) {
			p.zone.Add(p.t, zone)
			alice, third := p.alice(udp), p.stranger("third", thirdAt)
			start := time.Now()
			for _, method := range []string{"INVITE", "MESSAGE"} {
				alice.Request(method, "sip:carol@srv.example.com;transport=tcp")
				if late := third.Expect(method).At.Sub(start); late != 0 {
					p.t.Errorf("the %s comes after %v", method, late)
				}
			}
		}, trusting)
	})
	t.Run("PX-045", func(t *testing.T) {
		zone := `
			_sip._udp.srv.example.com. SRV 10 1 5060 dead.example.com.
			_sip._udp.srv.example.com. SRV 20 1 5060 gone.example.com.
			dead.example.com. A ` + deadAt + `
			gone.example.com. A ` + deadToo
		onPath(t, func(p *path) {
			p.zone.Add(p.t, zone)
			alice := p.alice(tcp)
			start := time.Now()
			invite := alice.Invite("sip:carol@srv.example.com")
			r := alice.ExpectWithin(2*time.Minute, "408 INVITE")
			if took := r.At.Sub(start); took != 2*32*time.Second {
				r.Fatalf("after %v, each has Timer B", took)
			}
			invite.Ack(r)
			tried := map[string]bool{}
			for _, m := range p.sent("INVITE") {
				tried[m.To.Addr().String()] = true
			}
			if len(tried) != 2 {
				p.t.Errorf("tried %v", tried)
			}
		}, trusting)
		onPath(t, func(p *path) {
			p.zone.Add(p.t, zone)
			// Over TCP her connection would end at this very moment, as that of a stranger who has said nothing.
			alice, bob := p.alice(udp), p.bob("<sip:bob@srv.example.com>", "<sip:bob@"+bobAt+">;q=0.5")
			invite := alice.Invite(toBob)
			p.answered(invite, bob, bob.ExpectWithin(2*time.Minute, "INVITE"))
		})
	})
}
