package flows

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
)

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
			mobile := w.agent("mobile", "bob", "biloxi.example.com", "ss2")
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
