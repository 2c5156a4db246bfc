package transport

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

func TestFraming(t *testing.T) {
	framing := func(w *world) (*Transport, *answerer, netip.AddrPort) {
		h := &answerer{}
		tr := w.start(Config{Limits: Limits{MaxHead: 4096, MaxBody: 64 << 10}}, h)
		return tr, h, addr(w, tr, sip.TCP)
	}
	worlds(t, "TP-025", func(w *world) {
		_, h, to := framing(w)
		two := request("TCP", "one", "a body") + request("TCP", "two", "")
		for cut := 1; cut < len(two); cut++ {
			p := w.dial(to)
			p.send(two[:cut])
			if w.net == nil {
				time.Sleep(20 * time.Microsecond) // likely two reads; either way it must work
			} else {
				time.Sleep(time.Millisecond)
			}
			p.send(two[cut:])
			if a, b := p.status(), p.status(); a != "200 one" || b != "200 two" {
				w.Fatalf("cut at %d: %s, %s", cut, a, b)
			}
			p.Close()
		}
		n := len(h.seen())
		p := w.dial(to)
		for i := range two {
			p.send(two[i : i+1])
		}
		if a, b := p.status(), p.status(); a != "200 one" || b != "200 two" {
			w.Errorf("byte by byte: %s, %s", a, b)
		}
		got := h.seen()[n:]
		if len(got) != 2 || string(got[0].Data)+string(got[1].Data) != two {
			w.Errorf("arrived: %+v", got)
		}
	})
	worlds(t, "TP-025 many in one write", func(w *world) {
		_, _, to := framing(w)
		p := w.dial(to)
		var all strings.Builder
		for i := range 500 {
			all.WriteString(request("TCP", fmt.Sprint(i), strings.Repeat("x", i)))
		}
		go p.Write([]byte(all.String()))
		for i := range 500 {
			if got, want := p.status(), fmt.Sprint("200 ", i); got != want {
				w.Fatalf("got %s, want %s", got, want)
			}
		}
	})
	worlds(t, "large body", func(w *world) {
		tr, _, to := framing(w)
		p := w.dial(to)
		all := request("TCP", "large", strings.Repeat("b", 64<<10))
		for rest := all; rest != ""; rest = rest[min(len(rest), 1000):] {
			p.send(rest[:min(len(rest), 1000)])
		}
		if got := p.status(); got != "200 large" {
			w.Errorf("got %s", got)
		}
		p.open()
		if n := tr.unfinished.used(); n != 0 {
			w.Errorf("%d bytes are still charged", n)
		}
	})
	worlds(t, "TP-026", func(w *world) {
		_, h, to := framing(w)
		p := w.dial(to)
		bad := strings.Replace(request("TCP", "none", ""), "Content-Length: 0\r\n", "", 1)
		p.send(request("TCP", "before", "") + bad + request("TCP", "after", ""))
		if a, b := p.status(), p.status(); a != "200 before" || b != "400 none" {
			w.Errorf("got %s, %s", a, b)
		}
		p.closed()
		if got := h.seen()[len(h.seen())-1]; got.Err == nil || string(got.Data) != bad {
			w.Errorf("arrived: %v %q", got.Err, got.Data)
		}
	})
	worlds(t, "TP-027", func(w *world) {
		_, _, to := framing(w)
		p := w.dial(to)
		p.send("\r\n" + request("TCP", "led", "") + "\r\n" + request("TCP", "again", ""))
		if a, b := p.status(), p.status(); a != "200 led" || b != "200 again" {
			w.Errorf("got %s, %s", a, b)
		}
		p.send("\r\n\r\n" + request("TCP", "pinged", ""))
		if a, b := p.message(), p.status(); a != "\r\n" || b != "200 pinged" {
			w.Errorf("got %q, %s", a, b)
		}
	})
	worlds(t, "TP-031", func(w *world) {
		tr, _, to := framing(w)
		for name, long := range map[string]string{
			"head": strings.Replace(request("TCP", "long", ""), "Content-Length", "X: "+strings.Repeat("x", 1<<20)+"\r\nContent-Length", 1),
			"body": request("TCP", "long", strings.Repeat("x", 1<<20)),
		} {
			p := w.dial(to)
			go p.Write([]byte(long))
			if got := p.status(); got != "513 long" {
				w.Errorf("%s: got %s", name, got)
			}
			p.closed()
		}
		p := w.dial(to)
		p.send(request("TCP", "next", ""))
		if got := p.status(); got != "200 next" {
			w.Errorf("the next connection: %s", got)
		}
		w.eventually("closed for framing", func() bool { return tr.Stats().Value("closed", sip.TCP, "framing") == 2 })
	})
}

func TestKeepAliveStream(t *testing.T) {
	worlds(t, "OB-018", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		start := time.Now()
		p.send("\r\n\r\n")
		if got := p.message(); got != "\r\n" || w.net != nil && time.Since(start) > 0 {
			w.Errorf("got %q after %v, want a pong at once", got, time.Since(start))
		}
		// A ping in pieces, in front of a message; and single CRLFs, which are nothing.
		for _, piece := range []string{"\r", "\n\r", "\n" + request("TCP", "1", "") + "\r\n", request("TCP", "2", "")} {
			p.send(piece)
			time.Sleep(time.Millisecond)
		}
		if a, b, c := p.message(), p.status(), p.status(); a != "\r\n" || b != "200 1" || c != "200 2" {
			w.Errorf("got %q, %s, %s", a, b, c)
		}
		p.send("\r\n\r\n\r\n\r\n")
		if a, b := p.message(), p.message(); a != "\r\n" || b != "\r\n" {
			w.Errorf("two pings: %q, %q", a, b)
		}
		if n := tr.Stats().Value("keepalives", sip.TCP, ""); n != 4 {
			w.Errorf("%d pings counted, want 4", n)
		}
	})
}

func TestArrivalFlow(t *testing.T) {
	worlds(t, "flow", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		to := addr(w, tr, sip.TCP)
		serials := map[uint64]bool{}
		for range 3 {
			p := w.dial(to)
			p.send(request("TCP", "flow", ""))
			p.status()
			got := h.seen()
			f := got[len(got)-1].Flow
			if f.Transport != sip.TCP || f.Local != to || f.Remote != addrPort(p.LocalAddr()) || f.Serial == 0 || serials[f.Serial] {
				w.Errorf("flow %+v", f)
			}
			serials[f.Serial] = true
		}
	})
}

// What a stream says of a message does not depend on how its bytes are cut.
func FuzzStream(f *testing.F) {
	f.Add([]byte(request("TCP", "one", "body")+"\r\n\r\n"+request("TCP", "two", "")), uint16(7))
	f.Add([]byte("\r\n\r\n\r\nOPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nab"), uint16(1))
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 5\r\n\r\nab"), uint16(3))
	f.Add([]byte(strings.Repeat("X: y\r\n", 200)), uint16(11))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		step := int(cut)%64 + 1
		whole, wholeOut := runStream(t, data, len(data)+1)
		cutUp, cutOut := runStream(t, data, step)
		if len(whole) != len(cutUp) || !bytes.Equal(wholeOut, cutOut) {
			t.Fatalf("in one: %d messages, %q out; by %d: %d, %q", len(whole), wholeOut, step, len(cutUp), cutOut)
		}
		for i := range whole {
			if (whole[i].Err == nil) != (cutUp[i].Err == nil) || whole[i].Err == nil && !bytes.Equal(whole[i].Data, cutUp[i].Data) {
				t.Fatalf("message %d: %q %v, and by %d: %q %v", i, whole[i].Data, whole[i].Err, step, cutUp[i].Data, cutUp[i].Err)
			}
		}
	})
}
