package server

import (
	"bytes"
	"fmt"
	"testing"

	"biloxi/config"
)

// trade puts a batch in and returns the next n messages that the server sends.
func (w *wired) trade(batch [][]byte, n int) [][]byte {
	w.mu.Lock()
	w.waiting, w.keep, w.all, w.arena = n, true, nil, nil
	w.mu.Unlock()
	w.feed <- batch
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = nil // not all have one status
	return w.all
}

// inviteTo is the nth INVITE of a stranger to a user.
func inviteTo(user string, n int) []byte {
	return requestTo(user, "INVITE", n, "")
}

// TestLate200s: two phones behind a fork downstream answer. The second 200 is relayed as the first is, though the relay
// of the INVITE has gone back to the pool by then.
func TestLate200s(t *testing.T) {
	w := startWired(t, config.DurabilityNone, 1)
	w.run(t, w.each((*wiredPhone).bind), "200")
	var made []*relay
	w.server.relays.New = func() any {
		r := w.server.newRelay().(*relay)
		made = append(made, r)
		return r
	}
	const calls = 20
	for i := range calls {
		var forwarded []byte
		for _, b := range w.trade([][]byte{inviteTo("user0", i)}, 2) {
			if bytes.HasPrefix(b, []byte("INVITE ")) {
				forwarded = b
			}
		}
		if forwarded == nil {
			t.Fatal("not forwarded")
		}
		for _, tag := range []string{"first", "second", "first"} {
			ok := answerTo(bytes.Replace(forwarded, []byte("biloxi.example.com>\r\nCall-ID"), []byte("biloxi.example.com>;tag="+tag+"\r\nCall-ID"), 1), "200 OK")
			got := w.trade([][]byte{ok}, 1)[0]
			if !bytes.HasPrefix(got, []byte("SIP/2.0 200 ")) || !bytes.Contains(got, []byte(";tag="+tag)) ||
				bytes.Count(got, []byte("\r\nVia:")) != 1 || !bytes.Contains(got, fmt.Appendf(nil, "z9hG4bKm%d;", i)) {
				t.Fatalf("of the %s phone came\n%s", tag, got)
			}
			for _, r := range made {
				if n := r.holds.Load(); n != 0 {
					t.Fatalf("%d holds of a relay behind the 200 of the %s phone", n, tag)
				}
			}
		}
	}
	if len(made) == 0 || !raceEnabled && len(made) > 2 { // the race detector's pool throws some away
		t.Errorf("%d relays for %d calls one after the other", len(made), calls)
	}
	if s := w.server.Status().Transactions; s.Servers != calls || s.Clients != calls {
		t.Errorf("%d and %d transactions are held", s.Servers, s.Clients)
	}
}
