package conformance

import (
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestTrying: what the caller hears while the callee says nothing (RFC 3261 §16.2).
func TestTrying(t *testing.T) {
	t.Run("PX-001", func(t *testing.T) {
		for _, transport := range transports {
			onPath(t, func(p *path) {
				alice, bob := p.alice(transport), p.bob()
				alice.Request("OPTIONS", toBob)
				ask := bob.Expect("OPTIONS")
				alice.ExpectNothing(3 * time.Second)
				bob.Reply(ask, 200)
				alice.Expect("200 OPTIONS")
			})
		}
	})
	t.Run("PX-002", func(t *testing.T) {
		for _, transport := range transports {
			onPath(t, func(p *path) {
				alice, bob := p.alice(transport), p.bob()
				alice.Invite(toBob)
				alice.ExpectWithin(200*time.Millisecond, "100 INVITE")
				bob.Expect("INVITE")
				// Nor does a next hop that is not even known yet keep it back.
				p.zone.Silence("other.example.com")
				alice.Invite("sip:carol@other.example.com")
				alice.ExpectWithin(200*time.Millisecond, "100 INVITE")
			}, trusting)
		}
	})
}

// TestValidation: what a request is refused for, and what it is not (RFC 3261 §16.3).
func TestValidation(t *testing.T) {
	t.Run("PX-003", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			broken := map[string]string{"Date": "garbage", "Accept": "/;;,", "Alert-Info": "<<no end", "Expires": "soon",
				"Retry-After": "-1", "Warning": "@@", "Contact": `"open <sip:a@b`, "Organization": "\xff\xfe", "Timestamp": "x", "Require": "@@", "Supported": ";;", "Authorization": "Digest", "Proxy-Authorization": "garbage",
				"Path": "<", "Session-Expires": "never", "RSeq": "x", "Content-Disposition": ";"}
			var lines []string
			for name, value := range broken {
				lines = append(lines, name+": "+value)
			}
			alice.Invite(toBob, Line(lines...))
			offer := bob.Expect("INVITE")
			for name, value := range broken {
				offer.Want(name, value)
			}
		})
	})
	t.Run("PX-004", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			request := alice.Request("NEWMETHOD", toBob, Body("text/plain", "new"))
			got := bob.Expect("NEWMETHOD").Want("CSeq", "1 NEWMETHOD").WantBody("new")
			bob.Reply(got, 183) // as of a request that is no INVITE: it stays here
			alice.ExpectNothing(time.Second)
			bob.Reply(got, 299)
			alice.Expect("299 NEWMETHOD")
			bob.Drain() // what was sent again for want of an answer
			request.Again()
			alice.Expect("299 NEWMETHOD")
			quiet(bob, alice) // no ACK; a retransmission goes no further
		})
	})
	t.Run("PX-005", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob, Line("X-Foo: one, two", "P-Bar: between", "x-foo: three", "X-Foo:"))
			offer := bob.Expect("INVITE").Want("P-Bar", "between")
			if got := offer.Values("X-Foo"); len(got) != 3 || got[0] != "one, two" || got[1] != "three" || got[2] != "" {
				offer.Fatalf("X-Foo is %q", got)
			}
		})
	})
	t.Run("PX-006", func(t *testing.T) {
		for name, value := range map[string]string{"CSeq": "x INVITE", "To": "<sip:bob@biloxi.example.com", "From": "sip:a b@c;tag=1",
			"Call-ID": "one two", "Via": "SIP/2.0/UDP 192.0.2.101;branch="} {
			onPath(t, func(p *path) {
				alice, bob := p.alice(udp), p.bob()
				alice.Invite(toBob, Replace(name, value))
				alice.Expect(400)
				quiet(bob)
			})
		}
	})
	t.Run("PX-007", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice := p.alice(udp)
			for _, uri := range []string{"foo:bar", "tel:+15551234", "http://biloxi.example.com"} {
				invite := alice.Invite(uri, To("<"+toBob+">"))
				invite.Ack(alice.Expect("416 INVITE"))
			}
		}, trusting)
	})
	t.Run("PX-008", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob, MaxForwards("0"))
			invite.Ack(alice.Expect("483 INVITE"))
			alice.Request("MESSAGE", toBob, MaxForwards("0"))
			alice.Expect("483 MESSAGE")
			quiet(bob, alice)
			invite = alice.Invite(toBob)
			bob.Reply(bob.Expect("INVITE"), 200)
			call := alice.Dialog(invite, alice.Expect("200 INVITE"))
			call.Ack(MaxForwards("0"))
			call.Bye(MaxForwards("0"))
			alice.Expect("483 BYE")
			for _, again := range bob.Drain() {
				again.Fatalf("it came here")
			}
		})
	})
	t.Run("PX-009", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Request("OPTIONS", toBob, MaxForwards("0"))
			alice.Expect("200 OPTIONS").Carries("Allow", "OPTIONS").Carries("Supported", "path")
			quiet(bob)
		})
	})
	t.Run("PX-010", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob, MaxForwards(""))
			bob.Expect("INVITE").Want("Max-Forwards", "70")
		})
	})
	t.Run("PX-011", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			same := []Edit{From("<sip:alice@atlanta.example.com>;tag=1"), CallID("one"), CSeq(7)}
			alice.Invite(toBob, append(same, Branch("z9hG4bKfirst"))...)
			first := bob.Expect("INVITE").Want("Call-ID", "one").Want("CSeq", "7 INVITE")
			alice.Invite(toBob, append(same, Branch("z9hG4bKsecond"))...)
			second := bob.Expect("INVITE").Want("Call-ID", "one").Want("CSeq", "7 INVITE")
			if first.Branch() == second.Branch() {
				second.Fatalf("one branch for two requests")
			}
			bob.Reply(second, 482)
			if got := alice.Expect(482).Branch(); got != "z9hG4bKsecond" {
				p.t.Errorf("the answer is to %s", got)
			}
			bob.Reply(first, 486)
			if got := alice.Expect(486).Branch(); got != "z9hG4bKfirst" {
				p.t.Errorf("the answer is to %s", got)
			}
		})
	})
	t.Run("PX-012", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob, Line("Proxy-Require: foo"))
			invite.Ack(alice.Expect("420 INVITE").WantList("Unsupported", "foo"))
			alice.Request("OPTIONS", toBob, Line("Proxy-Require: foo, bar", "Proxy-Require: baz"))
			alice.Expect("420 OPTIONS").WantList("Unsupported", "foo", "bar", "baz")
			quiet(bob)
		})
	})
	t.Run("PX-013", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob, Line("Require: foo"))
			bob.Reply(bob.Expect("INVITE").Want("Require", "foo"), 420, Line("Unsupported: foo"))
			invite.Ack(alice.Expect("420 INVITE").Want("Unsupported", "foo"))
		})
	})
	t.Run("PX-014", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 200)
			alice.Dialog(invite, alice.Expect(200)).Ack(Line("Proxy-Require: foo"))
			bob.Expect("ACK").Want("Proxy-Require", "foo")

			invite = alice.Invite(toBob)
			offer = bob.Expect("INVITE")
			bob.Reply(offer, 180)
			alice.Expect(180)
			invite.Cancel(Line("Proxy-Require: foo"))
			alice.Expect("200 CANCEL").Lacks("Unsupported")
			bob.Reply(bob.Expect("CANCEL"), 200)
			bob.Reply(offer, 487)
			invite.Ack(alice.Expect("487 INVITE"))
			bob.Expect("ACK")
		})
	})
	t.Run("PX-015", func(t *testing.T) {
		onPath(t, func(p *path) {
			bob := p.bob()
			// Who says to be a user of the domain shows that he is.
			alice := p.Agent(p.t, AgentOptions{Address: aliceAt, User: "alice"})
			invite := alice.Invite(toBob)
			challenge := alice.Expect("407 INVITE").Carries("Proxy-Authenticate", `realm="`+bed.Realm+`"`).Lacks("WWW-Authenticate")
			invite.Ack(challenge)
			quiet(bob)
			invite.Retry(alice.Credentials(challenge))
			bob.Expect("INVITE").Lacks("Proxy-Authorization")
		})
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.User, alice.Password = "u7", bed.Password("u7") // of his credentials
			invite := alice.Invite(toBob)
			challenge := alice.Expect("407 INVITE").Lacks("WWW-Authenticate")
			invite.Ack(challenge)
			alice.Password = "wrong"
			invite = invite.Retry(alice.Credentials(challenge))
			challenge = alice.Expect("407 INVITE")
			invite.Ack(challenge)
			quiet(bob)
			alice.Password = bed.Password("u7")
			invite.Retry(alice.Credentials(challenge))
			bob.Expect("INVITE")
		}, func(c *config.Config) { c.Domains[0].Callers = config.CallersAuthenticated })
	})
}
