package transport

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"biloxi/sip"
)

// Messages that fill more than one chunk, in pieces that end anywhere, one behind the other.
func TestLargeMessages(t *testing.T) {
	var stream []byte
	var want []string
	add := func(head, body int) {
		m := request("TCP", fmt.Sprint(len(want)), strings.Repeat("b", body))
		if pad := head - strings.Index(m, "\r\n\r\n") - 4 - len("\r\nX: "); pad > 0 {
			m = strings.Replace(m, "\r\n\r\n", "\r\nX: "+strings.Repeat("h", pad)+"\r\n\r\n", 1)
		}
		want = append(want, m)
		stream = append(stream, m...)
	}
	for _, n := range []int{readBuffer - 4, readBuffer - 3, readBuffer - 1, readBuffer, readBuffer + 1, readBuffer + 3, 2*readBuffer - 2, 2 * readBuffer, 3*readBuffer + 5} {
		add(n, 0)
		add(0, 10)
		add(n, n)
		stream = append(stream, "\r\n\r\n"...)
		add(300, n)
		add(n, 3)
		add(300, 20*readBuffer+n)
	}
	limits := Limits{MaxHead: 32 << 10, MaxBody: 256 << 10}
	for _, step := range []int{611, 4096, readBuffer - 1, readBuffer, readBuffer + 1, 100_000, len(stream)} {
		got, _ := runStreamWith(t, limits, bytes.Clone(stream), step)
		if len(got) != len(want) {
			t.Fatalf("pieces of %d: %d messages, want %d", step, len(got), len(want))
		}
		for i, in := range got {
			if in.Err != nil || string(in.Data) != want[i] {
				t.Fatalf("pieces of %d: message %d: %d bytes, %v, want %d", step, i, len(in.Data), in.Err, len(want[i]))
			}
		}
	}
	for _, step := range []int{1, 1000, readBuffer, 50_000} { // what cannot be bounded
		endless := []byte(strings.TrimSuffix(request("TCP", "endless", ""), "\r\n") + "X: " + strings.Repeat("h", 40_000))
		got, answer := runStreamWith(t, limits, endless, step)
		if len(got) != 1 || got[0].Err == nil || len(got[0].Data) > limits.MaxHead || !bytes.HasPrefix(answer, []byte("SIP/2.0 513 ")) {
			t.Errorf("pieces of %d: %d messages, answered %.40q", step, len(got), answer)
		}
	}
}

func TestBudget(t *testing.T) {
	var b budgets
	b.init(400) // 100 of strangers, 300 of the others
	tr, err := New(Config{}, &answerer{})
	if err != nil {
		t.Fatal(err)
	}
	from := func(host string, known bool) *conn {
		c := tr.newConn(sip.TCP, netip.AddrPortFrom(netip.MustParseAddr(host), 5060))
		c.authenticated.Store(known)
		return c
	}
	hold := func(c *conn, n int) bool { return b.hold(c, &c.reads, n, closedMemory) }
	gone := func(c *conn) bool { return counter(c.why.Load()) == closedMemory }
	known := from("192.0.2.1", true)
	if !hold(known, 300) {
		t.Error("the known have not their share")
	}
	one, two, three := from("192.0.2.2", false), from("192.0.2.3", false), from("192.0.2.3", false)
	if !hold(one, 40) || !hold(two, 40) || !hold(three, 20) || gone(known) {
		t.Error("strangers have not theirs")
	}
	if !hold(three, 30) || !gone(two) || gone(one) {
		t.Error("the oldest of the source with the most did not give way")
	}
	if hold(two, 50) {
		t.Error("who gave way goes on")
	}
	if !hold(two, 0) || !hold(one, 70) || b.strangers.used != 100 {
		t.Errorf("%d used", b.strangers.used)
	}
	if hold(one, 71) || b.strangers.used != 30 {
		t.Errorf("one that wants all: %d used", b.strangers.used)
	}
	big := from("192.0.2.9", false)
	if hold(big, 101) || hold(big, 10) || !hold(big, 0) || !hold(big, 10) {
		t.Error("one that wants more than there is")
	}
	for _, c := range []*conn{known, one, two, three, big} {
		hold(c, 0)
	}
	if n := b.used(); n != 0 || b.strangers.holders.count != 0 || b.known.holders.count != 0 {
		t.Errorf("%d are held in the end", n)
	}
}

// Strangers who fill their share of memory take nothing from phones that have registered, and hold no stranger up.
func TestUnfinishedShares(t *testing.T) {
	simulated(t, "half messages of many sources", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxUnfinished: 64 * readBuffer}}, &authenticator{})
		to := addr(w, tr, sip.TCP)
		known := w.registers(to, nil)
		known.send(request("TCP", "half", "body")[:100])
		half := []byte(request("TCP", "x", strings.Repeat("x", 100_000))[:50_000])
		w.flood(to, 50, 4, func(c net.Conn) {
			go c.Write(half)
			synctest.Wait()
		})
		if n := tr.Stats().Value("closed", sip.TCP, "memory for unfinished messages"); n < 190 {
			w.Errorf("%d gave way", n)
		}
		known.send(request("TCP", "half", "body")[100:])
		if got := known.status(); got != "200 half" {
			w.Errorf("got %s", got)
		}
		p := w.dial(to)
		m := request("TCP", "new", "body")
		p.send(m[:100])
		synctest.Wait()
		p.send(m[100:])
		if got := p.status(); got != "200 new" {
			w.Errorf("got %s", got)
		}
	})
}
