package conformance

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestCopies: how what goes on differs from what came (RFC 3261 §16.6 steps 1 to 3, 8 and 9).
func TestCopies(t *testing.T) {
	t.Run("PX-029", func(t *testing.T) {
		for _, transport := range transports {
			onPath(t, func(p *path) {
				alice, bob := p.alice(transport), p.bob()
				invite := alice.Invite(toBob, Top("X-First: before any Via"), Line("X-Foo: one, two", "s: short\r\n  and folded", "X-Bar:", "X-Odd  :  spaces  ",
					"x-foo: three", "Supported: b, a", "k: c", "Allow: INVITE, ACK", "Accept: b/c;q=0.1, a/b", "allow:BYE", "X-Foo: four"))
				offer := bob.Expect("INVITE")
				want := strings.Replace(invite.Raw, "Max-Forwards: 70", "Max-Forwards: 69", 1)
				want = strings.Replace(want, "INVITE "+toBob, "INVITE "+bob.ContactURI(udp), 1)
				if got := withoutOurs(offer); got != want {
					offer.Fatalf("more than what should has changed: got\n%s\nwant\n%s\n", got, want)
				}
			})
		}
	})
	t.Run("PX-030", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(tcp), p.bob("<sip:bob@"+bobAt+";transport=tcp>")
			body := make([]byte, 60<<10)
			for i := range body {
				body[i] = byte(i * i / 7)
			}
			copy(body[1000:], "\r\n\r\nBYE sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\n")
			alice.Invite(toBob, Body("application/octet-stream", string(body)))
			offer := bob.Expect("INVITE").Want("Content-Length", fmt.Sprint(len(body)))
			if sha256.Sum256(offer.Body()) != sha256.Sum256(body) {
				p.t.Error("the body is another")
			}
			alice.Request("MESSAGE", toBob)
			bob.Expect("MESSAGE").Want("Content-Length", "0").WantBody("")
		})
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob, Body("application/octet-stream", "\x00\xff\r\n\r\n "))
			bob.Expect("INVITE").WantBody("\x00\xff\r\n\r\n ")
		})
	})
	t.Run("PX-031", func(t *testing.T) {
		for contact, want := range map[string]string{"sip:bob@" + bobAt + ";method=BYE?Subject=x": "sip:bob@" + bobAt,
			"sip:bob@" + bobAt + ";a=b;Method=BYE;lr;ttl=1": "sip:bob@" + bobAt + ";a=b;lr;ttl=1", "sip:" + bobAt + "?Route=%3Csip:x%3E": "sip:" + bobAt} {
			onPath(t, func(p *path) {
				alice, bob := p.alice(udp), p.bob("<"+contact+">")
				alice.Invite(toBob)
				bob.Expect("INVITE").WantURI(want).Lacks("Route", "Subject")
			})
		}
	})
	t.Run("PX-032", func(t *testing.T) {
		onPath(t, func(p *path) {
			const contact = "sip:bob:pw@" + bobAt + ":5060;foo=bar;Baz;ob;user=phone;x=%20a"
			alice, bob := p.alice(udp), p.bob("<"+contact+">")
			alice.Invite(toBob)
			bob.Expect("INVITE").WantURI(contact)
		})
	})
	t.Run("PX-033", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			for came, goes := range map[string]string{"": "70", "1": "0", "70": "69", "255": "254"} {
				alice.Request("MESSAGE", toBob, MaxForwards(came))
				bob.Reply(bob.Expect("MESSAGE").Want("Max-Forwards", goes), 200)
				alice.Expect(200)
			}
		})
	})
	t.Run("PX-046", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			seen := map[string]bool{}
			for range 1000 {
				alice.Request("OPTIONS", toBob, Branch("z9hG4bKsame"+Token()))
				ask := bob.Expect("OPTIONS")
				via := ask.List("Via")
				if branch := ask.Branch(); len(via) != 2 || !strings.HasPrefix(branch, sip.MagicCookie) || seen[branch] ||
					!strings.HasPrefix(via[0], "SIP/2.0/UDP "+proxyAt) {
					ask.Fatalf("the Via is no new one on top")
				}
				seen[ask.Branch()] = true
				bob.Reply(ask, 200)
				alice.Expect(200)
			}
		})
	})
	t.Run("PX-047", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			alice.Expect(180)
			invite.Cancel()
			cancel := bob.Expect("CANCEL")
			bob.Reply(cancel, 200)
			bob.Reply(offer, 487)
			ack := bob.Expect("ACK")
			if cancel.Branch() != offer.Branch() || ack.Branch() != offer.Branch() {
				t.Errorf("INVITE %s, CANCEL %s, ACK %s", offer.Branch(), cancel.Branch(), ack.Branch())
			}
		})
	})
	t.Run("PX-048", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob("<sip:bob@"+bobAt+";transport=tcp>")
			alice.Request("MESSAGE", toBob, Body("text/plain", "no length"), NoLength())
			bob.Reply(bob.Expect("MESSAGE").Want("Content-Length", "9").WantBody("no length"), 200)
			alice.Request("MESSAGE", toBob, NoLength())
			bob.Reply(bob.Expect("MESSAGE").Want("Content-Length", "0").WantBody(""), 200)
		})
	})
	t.Run("PX-049", func(t *testing.T) {
		for _, method := range []string{"INVITE", "MESSAGE"} {
			onPath(t, func(p *path) {
				alice, bob := p.alice(tcp), p.bob() // alice sends nothing again
				lost := false
				p.network.Script(func(packet Packet) []time.Duration {
					if packet.To.Addr().String() == bobAt && !lost {
						lost = true
						return nil
					}
					return []time.Duration{0}
				})
				start := time.Now()
				alice.Request(method, toBob)
				offer := bob.Expect(method)
				if after := offer.At.Sub(start); after != 500*time.Millisecond {
					offer.Fatalf("sent again after %v", after)
				}
				if copies := p.sent(method); len(copies) != 2 || copies[0].Raw != copies[1].Raw {
					t.Errorf("sent %v", copies)
				}
			})
		}
	})
}

// withoutOurs is a request as it came to the callee without what the server adds: its Via, Record-Route and
// Max-Breadth.
func withoutOurs(r *Received) string {
	var kept []string
	head, body, _ := strings.Cut(r.Raw, "\r\n\r\n")
	vias := 0
	for line := range strings.SplitSeq(head, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via":
			if vias++; vias == 1 {
				continue
			}
		case "Record-Route", "Max-Breadth":
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\r\n") + "\r\n\r\n" + body
}

// TestRecordRoute: RFC 3261 §16.6 step 4.
func TestRecordRoute(t *testing.T) {
	t.Run("PX-034", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, third := p.alice(udp), p.stranger("third", thirdAt)
			before := []string{"<sip:p2.example.com;lr>", "P1 <sip:p1.example.com;lr>;x", "<sip:p0.example.com;lr>"}
			alice.Invite("sip:carol@other.example.com", Route("<sip:"+proxyAt+";lr>", "<sip:"+thirdAt+";lr>"),
				Line("Record-Route: "+before[0]+", "+before[1], "Record-Route: "+before[2]))
			offer := third.Expect("INVITE")
			list := offer.List("Record-Route")
			if len(list) != 4 || !strings.HasPrefix(list[0], "<sip:"+proxyAt) || !slices.Equal(list[1:], before) {
				offer.Fatalf("Record-Route is %q", list)
			}
		}, trusting)
	})
	t.Run("PX-035", func(t *testing.T) {
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			onPath(t, func(p *path) {
				alice, bob := p.alice(transport), p.bob()
				for _, method := range []string{"INVITE", "SUBSCRIBE", "NEWMETHOD"} {
					alice.Request(method, toBob)
					offer := bob.Expect(method)
					routes := offer.List("Record-Route")
					if len(routes) == 0 {
						offer.Fatalf("no Record-Route")
					}
					for _, route := range routes {
						if u := parsedURI(p.t, nameURI(route)); !u.IsSIP() || !u.Params.Has("lr") || u.Headers != nil {
							offer.Fatalf("Record-Route %s", route)
						}
					}
					bob.Reply(offer, 404)
					alice.Expect(404)
					bob.Drain()
				}
			})
		}
	})
	t.Run("PX-036", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob)
			noTransport(bob.Expect("INVITE"), "Record-Route", 1)
			alice.Close()
			// Over TCP what is next is known to speak it: it does.
			alice = p.alice(tcp)
			alice.Invite(toBob)
			offer := bob.Expect("INVITE")
			noTransport(offer, "Record-Route", 2)
		})
	})
	t.Run("PX-037", func(t *testing.T) {
		for _, from := range transports {
			for _, to := range []string{"", ";transport=tcp"} {
				onPath(t, func(p *path) {
					alice, bob := p.alice(from), p.bob("<sip:bob@"+bobAt+to+">")
					invite := alice.Invite(toBob)
					calling, called := p.answered(invite, bob, bob.Expect("INVITE"))
					called.Toward(routeHop(p.t, called.Routes[0])).Request("INFO")
					alice.Reply(alice.Expect("INFO").WantURI(called.Target).Lacks("Route"), 200)
					bob.Expect("200 INFO")
					calling.Toward(routeHop(p.t, calling.Routes[0])).Bye()
					bob.Reply(bob.Expect("BYE").WantURI(calling.Target).Lacks("Route"), 200)
					alice.Expect("200 BYE")
				})
			}
		}
		// A name that others know the server by leads back as an address does.
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			invite := alice.Invite(toBob)
			offer := bob.Expect("INVITE").Carries("Record-Route", "<sip:edge.biloxi.example.com;").Carries("Via", "UDP edge.biloxi.example.com;")
			calling, _ := p.answered(invite, bob, offer)
			calling.Bye()
			bob.Expect("BYE").Lacks("Route")
		}, func(c *config.Config) { c.Listeners[0].Advertise = "edge.biloxi.example.com" })
	})
	t.Run("PX-038", func(t *testing.T) {
		onPath(t, func(p *path) {
			alice, bob := p.alice(tls), p.secureBob()
			invite := alice.Invite("sips:bob@"+bed.Domain, Contact("<sips:alice@"+aliceAt+">"))
			offer := bob.Expect("INVITE").WantURI("sips:bob@" + bobAt)
			for _, route := range offer.List("Record-Route") {
				if u := parsedURI(p.t, nameURI(route)); u.Scheme != sip.SchemeSIPS || string(u.Host) != proxyAt {
					offer.Fatalf("Record-Route %s", route)
				}
			}
			offer.Carries("Record-Route", "<sips:")
			bob.Reply(offer, 200, Contact("<sips:bob@"+bobAt+">"))
			call := alice.Dialog(invite, alice.Expect("200 INVITE"))
			call.Ack()
			bob.Expect("ACK")
			call.Bye()
			bob.Reply(bob.Expect("BYE"), 200)
			alice.Expect("200 BYE")
		})
		onPath(t, func(p *path) {
			alice, third := p.alice(udp), p.stranger("third", thirdAt, thirdAt)
			alice.Invite("sip:carol@other.example.com", Route("<sips:"+thirdAt+";lr>"))
			offer := third.Expect("INVITE").WantURI("sip:carol@other.example.com")
			if list := offer.List("Record-Route"); len(list) == 0 || !strings.HasPrefix(list[0], "<sips:") || offer.Hop.Transport != tls {
				offer.Fatalf("Record-Route is %q", list)
			}
		}, trusting)
	})
	t.Run("PX-039", func(t *testing.T) {
		unasked := func(c *config.Config) { c.Proxy.RecordRoute = false }
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.bob()
			alice.Invite(toBob)
			bob.Expect("INVITE").Lacks("Record-Route")
		}, unasked)
		onPath(t, func(p *path) {
			alice, bob := p.alice(udp), p.secureBob()
			invite := alice.Invite("sips:bob@" + bed.Domain)
			offer := bob.Expect("INVITE").WantURI("sips:bob@" + bobAt)
			if list := offer.List("Record-Route"); len(list) != 2 || !strings.HasPrefix(list[0], "<sips:") || !strings.HasPrefix(list[1], "<sip:") {
				offer.Fatalf("Record-Route is %q", list)
			}
			// Each side has what leads it back.
			calling, called := p.answered(invite, bob, offer)
			called.Request("INFO")
			alice.Reply(alice.Expect("INFO").Lacks("Route"), 200)
			bob.Expect("200 INFO")
			calling.Toward(routeHop(p.t, calling.Routes[0])).Bye()
			bob.Reply(bob.Expect("BYE").Lacks("Route"), 200)
			alice.Expect("200 BYE")
		}, unasked)
		onPath(t, func(p *path) {
			alice, bob := p.alice(tls), p.bob()
			invite := alice.Invite(toBob)
			offer := bob.Expect("INVITE").WantURI(bob.ContactURI(udp))
			if list := offer.List("Record-Route"); len(list) == 0 || !strings.HasPrefix(list[0], "<sip:") {
				offer.Fatalf("Record-Route is %q", list)
			}
			calling, called := p.answered(invite, bob, offer)
			called.Toward(routeHop(p.t, called.Routes[0])).Request("INFO")
			alice.Reply(alice.Expect("INFO").Lacks("Route"), 200)
			bob.Expect("200 INFO")
			calling.Bye()
			bob.Expect("BYE").Lacks("Route")
		}, unasked)
	})
}

// secureBob is bob with a sips contact, over the TLS connection that he registers by.
func (p *path) secureBob() *Agent {
	p.t.Helper()
	bob := p.Agent(p.t, AgentOptions{Address: bobAt, User: "bob", Outbound: p.Hop(tls)})
	first := bob.Request("REGISTER", "sips:"+bed.Domain, To("<"+toBob+">"), Contact("<sips:bob@"+bobAt+">"))
	first.Retry(bob.Credentials(bob.Expect(401)))
	bob.Expect(200)
	return bob
}

// noTransport fails the test unless a header field has n values, and only those of streams name a transport: theirs.
func noTransport(r *Received, name string, n int) {
	r.T.Helper()
	list := r.List(name)
	if len(list) != n || strings.Contains(list[0], "transport=") || n > 1 && !strings.Contains(list[1], ";transport=tcp") {
		r.Fatalf("%s is %q", name, list)
	}
}

func parsedURI(t *testing.T, text string) sip.URI {
	t.Helper()
	u, err := sip.ParseURI([]byte(text))
	if err != nil {
		t.Fatalf("URI %s: %v", text, err)
	}
	return u
}

// routeHop is where RFC 3263 leads from a Route value with an address.
func routeHop(t *testing.T, route string) Hop {
	t.Helper()
	u := parsedURI(t, nameURI(route))
	name, _ := u.Params.Value("transport")
	transport := sip.TransportOf(name)
	if name == nil {
		transport = udp
	}
	port := u.Port
	if port == 0 {
		port = transport.DefaultPort()
	}
	return Over(transport, fmt.Sprintf("%s:%d", u.Host, port))
}
