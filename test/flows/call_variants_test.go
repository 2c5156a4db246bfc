package flows

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
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

// TestRetransmissions: what is sent again on one hop goes no further, but for a 2xx (RFC 3261 §17.2, RFC 6026 §7.1).
func TestRetransmissions(t *testing.T) {
	t.Run("INVITE", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			invite.Again()
			w.alice.Expect(100)
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			invite.Again()
			w.alice.Expect(180)
			w.bob.Reply(call, 200)
			dialog := w.alice.Dialog(invite, w.alice.Expect(200))
			w.at(time.Second)
			invite.Again()
			w.alice.ExpectNothing(time.Second)
			w.bob.Reply(call, 200)
			w.alice.Expect(200)
			dialog.Ack()
			w.bob.Expect("ACK")
			w.bob.ExpectNothing(time.Second)
		})
		wantCount(t, seen, "ss1>ss2 INVITE", 1)
		wantCount(t, seen, "ss1>alice 200 INVITE", 2)
	})
	t.Run("480", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 480)
			w.bob.Expect("ACK")
			w.bob.Reply(call, 480)
			w.bob.Expect("ACK")
			refused(w, invite, 480)
		})
		wantCount(t, seen, "ss2>ss1 480 INVITE", 1)
		wantCount(t, seen, "ss1>alice 480 INVITE", 1)
	})
	t.Run("480 until the ACK", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 480)
			w.bob.Expect("ACK")
			w.alice.Expect(480)
			w.at(500 * time.Millisecond) // Timer G
			w.alice.Expect(480)
			w.at(1500 * time.Millisecond)
			refused(w, invite, 480)
		})
		wantCount(t, seen, "ss1>alice 480 INVITE", 3)
		wantCount(t, seen, "ss2>ss1 480 INVITE", 1)
	})
	t.Run("BYE", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 200)
			w.alice.Dialog(invite, w.alice.Expect(200)).Ack()
			w.bob.Expect("ACK")
			bye := w.bob.Answered(call).Bye()
			end := w.alice.Expect("BYE")
			bye.Again()
			w.bob.ExpectNothing(100 * time.Millisecond)
			w.alice.Reply(end, 200)
			w.bob.Expect("200 BYE")
			bye.Again()
			w.bob.Expect("200 BYE")
		})
		wantCount(t, seen, "ss1>alice BYE", 1)
		wantCount(t, seen, "alice>ss1 200 BYE", 1)
	})
}

// TestLoss: of each datagram between the proxies the first copy is lost.
func TestLoss(t *testing.T) {
	seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
		known := map[string]bool{}
		w.network.Script(func(p Packet) []time.Duration {
			proxies := []string{"ss1", "ss2"}
			if from, to := w.who(p.From), w.who(p.To); slices.Contains(proxies, from) && slices.Contains(proxies, to) && !known[string(p.Data)] {
				known[string(p.Data)] = true
				return nil
			}
			return []time.Duration{0}
		})
		invite, call := invited(w)
		if waited := call.At.Sub(w.began); waited != 500*time.Millisecond { // Timer A of Proxy 1
			call.Fatalf("it came after %v", waited)
		}
		w.bob.Reply(call, 180)
		w.alice.Expect(180) // the next copy of the INVITE brings it once more
		w.bob.Reply(call, 486)
		w.bob.Expect("ACK")
		refused(w, invite, 486)
		w.alice.ExpectNothing(time.Minute)
		w.bob.ExpectNothing(0)
	})
	wantCount(t, seen, "ss2>bob INVITE", 1)
	wantCount(t, seen, "ss1>alice 486 INVITE", 1)
	wantCount(t, seen, "ss2>ss1 486 INVITE", 3) // lost, come, and come again for the ACK that was lost
	wantCount(t, seen, "ss1>ss2 ACK", 2)
}

// TestDeadServer: what 3.4 leaves to Alice, Proxy 1 does by itself: the next server of Bob's domain is tried when
// one does not answer (RFC 3263 §4.3).
func TestDeadServer(t *testing.T) {
	servers := func(w *world, names ...string) {
		w.dns.Remove("_sip._udp.biloxi.example.com")
		w.dns.Add(w.t, "dead1.biloxi.example.com. A 192.0.2.221\ndead2.biloxi.example.com. A 192.0.2.223")
		for i, name := range names {
			w.dns.Add(w.t, fmt.Sprintf("_sip._udp.biloxi.example.com. SRV %d 1 5060 %s.biloxi.example.com.", i, name))
		}
	}
	t.Run("the second answers", func(t *testing.T) {
		seen := variant(t, udpCast, func(w *world) {
			servers(w, "dead1", "ss2")
			bobRegistersAliceIsKnown(w)
			time.Sleep(10 * time.Minute)
			w.challenged()
		}, func(w *world) {
			invite := w.alice.Invite(bobURI, throughProxy1, w.alice.Known("atlanta.example.com"), offer)
			w.alice.Expect(100)
			call := w.bob.ExpectWithin(2*timerB, "INVITE")
			if waited := call.At.Sub(w.began); waited != timerB {
				call.Fatalf("it came after %v", waited)
			}
			w.bob.Reply(call, 486)
			w.bob.Expect("ACK")
			refused(w, invite, 486)
		})
		wantCount(t, seen, "ss1>192.0.2.221:5060 INVITE", 7)
		wantCount(t, seen, "ss1>ss2 INVITE", 1)
	})
	t.Run("none answers", func(t *testing.T) {
		seen := variant(t, udpCast, func(w *world) {
			bobRegistersAliceIsKnown(w)
			servers(w, "dead1", "dead2")
			time.Sleep(10 * time.Minute) // what DNS said before is forgotten
			w.challenged()
		}, func(w *world) {
			invite := w.alice.Invite(bobURI, throughProxy1, w.alice.Known("atlanta.example.com"), offer)
			w.alice.Expect(100)
			final := w.alice.ExpectWithin(3*timerB, 408)
			if waited := final.At.Sub(w.began); waited != 2*timerB {
				final.Fatalf("it came after %v", waited)
			}
			invite.Ack(final, invite.Copied("Proxy-Authorization"))
			synctest.Wait()
		})
		wantCount(t, seen, "ss1>192.0.2.221:5060 INVITE", 7)
		wantCount(t, seen, "ss1>192.0.2.223:5060 INVITE", 7)
	})
}

// TestNoResponse is 3.10 under other circumstances.
func TestNoResponse(t *testing.T) {
	t.Run("480 as the RFC prints it", func(t *testing.T) {
		c := udpCast
		c.change = func(server string, cfg *config.Config) { cfg.Proxy.NoAnswer = 480 }
		seen := variant(t, c, bobRegistersAliceIsKnown, func(w *world) {
			invite, _ := invited(w)
			for range retransmissions {
				w.bob.ExpectWithin(timerB, "INVITE")
			}
			refused(w, invite, 480)
			if got := time.Since(w.began); got != timerB {
				t.Errorf("it took %v", got)
			}
		})
		wantCount(t, seen, "ss2>bob INVITE", 7)
		wantCount(t, seen, "ss2>bob CANCEL", 0)
	})
	t.Run("a second contact is tried", func(t *testing.T) {
		seen := variant(t, udpCast, func(w *world) {
			w.register("ss2", "biloxi.example.com", "<sip:bob@client.biloxi.example.com>;q=0.9")
			w.register("ss2", "biloxi.example.com", "<sip:bob@client.chicago.example.com>;q=0.1")
			w.challenged()
		}, func(w *world) {
			mobile := w.agent("mobile", "bob", "biloxi.example.com")
			invite, _ := invited(w)
			call := mobile.ExpectWithin(2*timerB, "INVITE").WantURI("sip:bob@client.chicago.example.com")
			if waited := call.At.Sub(w.began); waited != timerB {
				call.Fatalf("it came after %v", waited)
			}
			mobile.Reply(call, 486)
			mobile.Expect("ACK")
			refused(w, invite, 486)
			w.bob.Drain()
		})
		wantCount(t, seen, "ss2>bob INVITE", 7)
		wantCount(t, seen, "ss2>mobile INVITE", 1)
	})
	t.Run("it rings for ever", func(t *testing.T) {
		var rang time.Duration
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			w.at(time.Minute)
			w.bob.Reply(call, 180) // Timer C begins anew (RFC 3261 §16.7 step 2)
			w.alice.Expect(180)
			cancel := w.bob.ExpectWithin(time.Hour, "CANCEL")
			rang = cancel.At.Sub(w.began)
			w.bob.Reply(cancel, 200)
			w.bob.Reply(call, 487)
			w.bob.Expect("ACK")
			final := w.alice.Next(time.Second)
			if final == nil || final.Status() != 408 && final.Status() != 487 {
				t.Fatalf("%+v", final)
			}
			invite.Ack(final, invite.Copied("Proxy-Authorization"))
			synctest.Wait()
		})
		if rang <= 4*time.Minute || rang > 5*time.Minute {
			t.Errorf("it rang for %v", rang)
		}
		wantCount(t, seen, "ss2>bob CANCEL", 1)
	})
}

// TestCancel is 3.8 under other circumstances.
func TestCancel(t *testing.T) {
	t.Run("before anything has come from Bob", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			invite.Cancel()
			w.alice.Expect("200 CANCEL")
			w.bob.ExpectNothing(100 * time.Millisecond) // RFC 3261 §9.1: it waits for a provisional response
			w.bob.Reply(call, 180)
			w.bob.Reply(w.bob.Expect("CANCEL"), 200)
			w.bob.Reply(call, 487)
			w.bob.Expect("ACK")
			w.alice.Expect(180)
			refused(w, invite, 487)
		})
		wantCount(t, seen, "ss2>bob CANCEL", 1)
	})
	t.Run("that crosses the 200", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			w.bob.Reply(call, 200)
			w.alice.Next(0) // it has not come to her yet, so to speak
			synctest.Wait()
			invite.Cancel()
			w.alice.Drain()
		})
		wantCount(t, seen, "ss1>alice 200 CANCEL", 1)
		wantCount(t, seen, "ss1>alice 200 INVITE", 1)
		wantCount(t, seen, "ss1>alice 487 INVITE", 0)
		wantCount(t, seen, "ss1>ss2 CANCEL", 0)
	})
	t.Run("that Bob's 200 overtakes", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			invite.Cancel()
			w.alice.Expect("200 CANCEL")
			w.bob.Reply(call, 200)
			dialog := w.alice.Dialog(invite, w.alice.Expect("200 INVITE"))
			dialog.Ack()
			w.bob.Reply(w.bob.Expect("CANCEL"), 481)
			w.bob.Expect("ACK")
			dialog.Bye()
			w.bob.Reply(w.bob.Expect("BYE"), 200)
			w.alice.Expect("200 BYE")
		})
		wantCount(t, seen, "ss1>alice 487 INVITE", 0)
	})
	t.Run("that Bob does not heed", func(t *testing.T) {
		seen := variant(t, oneProxy, bobRegisters, func(w *world) {
			w.alice.Outbound = w.hop("ss2")
			invite := w.alice.Invite(bobURI)
			call := w.bob.Expect("INVITE")
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			invite.Cancel()
			w.alice.Expect("200 CANCEL")
			w.bob.Reply(w.bob.Expect("CANCEL"), 200)
			// RFC 3261 §9.1: 64*T1 later the INVITE counts as cancelled.
			final := w.alice.ExpectWithin(2*timerB, 487)
			if waited := final.At.Sub(w.began); waited != timerB {
				final.Fatalf("it came after %v", waited)
			}
			invite.Ack(final)
			synctest.Wait()
		})
		wantCount(t, seen, "ss2>bob CANCEL", 1)
	})
	t.Run("twice", func(t *testing.T) {
		seen := variant(t, udpCast, bobRegistersAliceIsKnown, func(w *world) {
			invite, call := invited(w)
			w.bob.Reply(call, 180)
			w.alice.Expect(180)
			cancel := invite.Cancel()
			w.alice.Expect("200 CANCEL")
			cancel.Again()
			w.alice.Expect("200 CANCEL")
			w.bob.Reply(w.bob.Expect("CANCEL"), 200)
			w.bob.Reply(call, 487)
			w.bob.Expect("ACK")
			refused(w, invite, 487)
		})
		wantCount(t, seen, "ss1>ss2 CANCEL", 1)
		wantCount(t, seen, "ss2>bob CANCEL", 1)
	})
	t.Run("of a redirection", func(t *testing.T) {
		c := cast{servers: map[string]string{"redirect": "redirect.toml"}, bob: "mobile", transport: sip.UDP}
		variant(t, c, func(w *world) {
			w.register("redirect", "biloxi.example.com", "<sip:bob@chicago.example.com;transport=tcp>")
		}, func(w *world) {
			w.alice.Outbound = w.hop("redirect")
			invite := w.alice.Invite(bobURI)
			moved := w.alice.Expect(302)
			invite.Cancel()
			w.alice.Expect("200 CANCEL")
			invite.Again()
			w.alice.Expect(302)
			w.at(500 * time.Millisecond)
			w.alice.Expect(302) // Timer G
			invite.Ack(moved)
			w.alice.ExpectNothing(time.Minute)
		})
	})
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
