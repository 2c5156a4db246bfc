package flows

import (
	"slices"
	"testing"
	"time"

	. "biloxi/siptest"
)

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
