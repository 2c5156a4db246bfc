package flows

import (
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

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
