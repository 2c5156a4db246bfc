package transport

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// owing is a Handler whose answers come later.
func owing() (Handler, chan *Arrival) {
	ch := make(chan *Arrival, 100)
	return handlerFunc(func(out *Out, in *Arrival) {
		if in.Err == nil {
			out.Owe(in)
		}
		c := *in
		ch <- &c
	}), ch
}

const late = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"

func TestFaultR6(t *testing.T) {
	listen := func(w *world) net.Listener {
		w.Helper()
		var ln net.Listener
		var err error
		if w.net != nil {
			ln, err = w.net.Host(w.client).Listen(0)
		} else {
			ln, err = net.Listen("tcp", w.client+":0")
		}
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { ln.Close() })
		return ln
	}
	closing := func(w *world, tr *Transport, n uint64) {
		w.Helper()
		w.eventually("it says farewell", func() bool { return tr.Stats().Value("closing", sip.TCP, "") == n })
	}
	worlds(t, "R6 a half-close waits for the answers", func(w *world) {
		h, ch := owing()
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "one", "") + request("TCP", "two", ""))
		a, b := <-ch, <-ch
		if err := p.CloseWrite(); err != nil {
			w.Fatal(err)
		}
		closing(w, tr, 1)
		if tr.Alive(a.Flow) {
			w.Error("it is alive to requests")
		}
		if err := sendNow(tr, a.Flow, netip.AddrPort{}, []byte(request("TCP", "x", ""))); err != ErrGone {
			w.Errorf("a request: %v", err)
		}
		for _, in := range []*Arrival{a, b} {
			if err := sendNow(tr, in.Flow, netip.AddrPort{}, []byte("SIP/2.0 100 Trying\r\nContent-Length: 0\r\n\r\n")); err != nil {
				w.Error(err)
			}
			if err := sendNow(tr, in.Flow, netip.AddrPort{}, []byte(late)); err != nil {
				w.Error(err)
			}
			p.message()
			if got := p.message(); got != late {
				w.Errorf("got %q", got)
			}
		}
		p.closed()
		closing(w, tr, 0)
	})
	worlds(t, "P12 a peer that has gone gets them over another connection", func(w *world) {
		h, ch := owing()
		tr := w.start(Config{}, h)
		ln := listen(w)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "one", "") + request("TCP", "two", ""))
		a, b := <-ch, <-ch
		p.Close()
		closing(w, tr, 1)
		for _, in := range []*Arrival{a, b} {
			if err := sendNow(tr, in.Flow, addrPort(ln.Addr()), []byte(late)); err != nil {
				w.Error(err)
			}
		}
		nc, err := ln.Accept()
		if err != nil {
			w.Fatal(err)
		}
		defer nc.Close()
		q := &peer{T: w.T, Conn: nc}
		for range 2 {
			if q.message() != late {
				w.Error("not what was sent")
			}
		}
		closing(w, tr, 0)
	})
	worlds(t, "R6 shutdown waits for nobody", func(w *world) {
		h, ch := owing()
		tr := w.start(Config{}, h)
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "one", "") + request("TCP", "two", ""))
		in := <-ch
		<-ch
		_ = p.CloseWrite()
		closing(w, tr, 1)
		if err := tr.Stop(context.Background()); err != nil {
			w.Error(err)
		}
		if err := sendNow(tr, in.Flow, netip.AddrPort{}, []byte(late)); err != nil {
			w.Error(err)
		}
		start := time.Now()
		if err := tr.Shutdown(context.Background()); err != nil || time.Since(start) > 5*time.Second {
			w.Errorf("%v after %v", err, time.Since(start))
		}
		if got := p.message(); got != late {
			w.Errorf("got %q", got)
		}
	})
	simulated(t, "R6 a place is given up all the same", func(w *world) {
		h, ch := owing()
		tr := w.start(Config{Limits: Limits{MaxConns: 10}}, h)
		for range 20 {
			p := w.dial(addr(w, tr, sip.TCP))
			p.send(request("TCP", "one", ""))
			<-ch
			_ = p.CloseWrite()
			time.Sleep(time.Millisecond)
		}
		if n := tr.Stats().Value("refused", sip.TCP, ""); n != 0 {
			w.Errorf("%d refused", n)
		}
		closing(w, tr, 8)
		time.Sleep(transactionLife)
		closing(w, tr, 0)
		if n := tr.Stats().Value("connections", sip.TCP, ""); n != 0 || tr.admission.leaving != 0 || tr.admission.all.conns != 0 {
			w.Errorf("%d are left, %+v", n, tr.admission.all)
		}
	})
	worlds(t, "R6 one answered at once owes nothing", func(w *world) {
		tr := w.start(Config{}, handlerFunc(func(out *Out, in *Arrival) {
			out.Owe(in)
			out.Settle(in)
			out.Reply(in, in.Flow.Remote, []byte(late))
		}))
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "one", ""))
		_ = p.CloseWrite()
		if got := p.message(); got != late {
			w.Errorf("got %q", got)
		}
		p.closed()
	})
}

func TestIsResponse(t *testing.T) {
	for in, want := range map[string][2]bool{
		"SIP/2.0 200 OK": {true, true}, "SIP/2.0 100 Trying": {true, false}, "SIP/2.0 487": {true, true},
		"SIP/2.0 ": {false, false}, "SIP/2.0": {false, false}, "": {false, false}, "INVITE sip:a SIP/2.0": {false, false},
	} {
		if response, final := isResponse([]byte(in)); response != want[0] || final != want[1] {
			t.Errorf("%q: %v, %v", in, response, final)
		}
	}
}
