package transaction

import (
	"strings"
	"testing"

	"biloxi/sip"
)

// TestCancelFor: P4, RFC 3326. What a CANCEL is to have stands in it, also if it waits for a provisional response, and in
// what is sent again.
func TestCancelFor(t *testing.T) {
	const reason = "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
	for name, early := range map[string]bool{"P4 a CANCEL that goes at once": false, "P4 one that waits for a provisional response": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{})
			invite := requestText("INVITE", branch(1))
			id, err := w.layer.NewClient(w.now, invite, udp, remote, nil)
			if err != nil {
				t.Fatal(err)
			}
			fields := []byte(reason)
			cancel := func() {
				if err := w.layer.CancelFor(w.now, id, fields); err != nil {
					t.Fatal(err)
				}
				clear(fields) // they are copied
				_ = w.layer.CancelFor(w.now, id, []byte("X: a second one changes nothing\r\n"))
			}
			if early {
				cancel()
			}
			w.receive(responseTo(t, invite, 180, "x"))
			if !early {
				cancel()
			}
			for range 2 {
				if got := string(w.last); !strings.HasPrefix(got, "CANCEL ") || strings.Count(got, reason) != 1 || strings.Contains(got, "X: ") {
					t.Fatalf("sent:\n%s", got)
				}
				w.pass(w.layer.timers.T1)
			}
			for i := range w.layer.shards {
				if n := len(w.layer.shards[i].postponed); n != 0 {
					t.Errorf("%d are kept", n)
				}
			}
		})
	}
	t.Run("P4 nothing is kept of a call that ends before it is cancelled", func(t *testing.T) {
		w := newWorld(t, Config{})
		invite := requestText("INVITE", branch(1))
		id, _ := w.layer.NewClient(w.now, invite, udp, remote, nil)
		_ = w.layer.CancelFor(w.now, id, []byte(reason))
		w.layer.Terminate(w.now, id)
		for i := range w.layer.shards {
			if n := len(w.layer.shards[i].postponed); n != 0 {
				t.Errorf("%d are kept", n)
			}
		}
	})
}

// TestClient: R5. A branch finds its transaction, without a method that of any request but a CANCEL.
func TestClient(t *testing.T) {
	w := newWorld(t, Config{})
	id, _ := w.layer.NewClient(w.now, requestText("INFO", branch(1)), udp, remote, nil)
	for _, c := range []struct {
		branch string
		method sip.Method
		want   ID
	}{{branch(1), "INFO", id}, {branch(1), "", id}, {branch(1), "INVITE", ID{}}, {branch(2), "", ID{}}, {"", "", ID{}}} {
		if got := w.layer.Client([]byte(c.branch), c.method); got != c.want {
			t.Errorf("%q %s: %v", c.branch, c.method, got)
		}
	}
}
