package transport

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"biloxi/sip"
)

// onLoop runs a test on the system's sockets, whose connections loops read.
func onLoop(t *testing.T, name string, test func(w *world)) {
	t.Run(name, func(t *testing.T) {
		noLeak(t)
		test(&world{T: t, server: "127.0.0.1", client: "127.0.0.1"})
	})
}

// loopsOf returns the loops, which begin with the first connection.
func loopsOf(tr *Transport) []*loop {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.loops
}

// soon is a limit that tests wait out.
const soon = 20 * time.Millisecond

func TestLoopDeadlines(t *testing.T) {
	onLoop(t, "not authenticated", func(w *world) {
		tr := w.start(Config{Limits: Limits{Unauthenticated: soon}}, &authenticator{})
		start := time.Now()
		silent, known := w.dial(addr(w, tr, sip.TCP)), w.dial(addr(w, tr, sip.TCP))
		known.send(request("TCP", "in", ""))
		known.status()
		silent.closed()
		if d := time.Since(start); d < soon {
			w.Errorf("closed after %v, before its time", d)
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "not authenticated") == 1 })
		known.open()
		l := loopsOf(tr)[0]
		w.eventually("the next deadline is that of idleness", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.due) == 1 && l.due[0].armed > DefaultIdle/2 && l.until == l.due[0].armed
		})
	})
	onLoop(t, "unfinished message", func(w *world) {
		tr := w.start(Config{Limits: Limits{Message: soon}}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		p.send(request("TCP", "half", "")[:100])
		p.closed()
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TCP, "unfinished message") == 1 })
	})
}

func TestLoopLists(t *testing.T) {
	onLoop(t, "places are taken again", func(w *world) {
		tr := w.start(Config{}, &authenticator{})
		const n = 50
		for range 3 {
			peers := make([]*peer, n)
			for i := range peers {
				peers[i] = w.dial(addr(w, tr, sip.TCP))
				peers[i].open()
			}
			for i := range peers {
				peers[n-1-i].Close()
			}
			w.eventually("all are gone", func() bool { return tr.Stats().Value("connections", sip.TCP, "") == 0 })
		}
		for _, l := range loopsOf(tr) {
			l.mu.Lock()
			if len(l.conns) > n || len(l.free) != len(l.conns) || len(l.due) != 0 {
				w.Errorf("%d places, %d of them free, %d deadlines", len(l.conns), len(l.free), len(l.due))
			}
			l.mu.Unlock()
		}
	})
	onLoop(t, "none is taken after the end", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.open()
		l := loopsOf(tr)[0]
		shutdown(w, tr)
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		if c := (&conn{t: tr, wire: wire{Conn: near}}); tr.loopOf(c) != nil || l.take(c) {
			w.Error("taken")
		}
		if c := (&conn{t: tr, wire: wire{Conn: p.Conn}}); tr.loopOf(c) != nil || l.take(c) {
			w.Error("taken after the end")
		}
	})
}

// A peer that sends, does not read its answers, and is gone.
func TestLoopHeldAndReset(t *testing.T) {
	onLoop(t, "T10", func(w *world) {
		tr := w.start(Config{}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TCP))
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for _, err := p.Write([]byte(request("TCP", "more", ""))); err == nil; {
				_, err = p.Write([]byte(request("TCP", "more", "")))
			}
		}()
		w.eventually("held", func() bool {
			held := false
			tr.conns.each(func(c *conn) {
				c.mu.Lock()
				held = c.held
				c.mu.Unlock()
			})
			return held
		})
		_ = p.Conn.(*net.TCPConn).SetLinger(0)
		p.Close()
		<-stop
		w.eventually("gone", func() bool { return tr.Stats().Value("connections", sip.TCP, "") == 0 })
		w.dial(addr(w, tr, sip.TCP)).open()
	})
}

// What TLS had not used up when the connection was held is answered when the peer reads again.
func TestLoopHeldTLS(t *testing.T) {
	ca := newAuthority(t)
	onLoop(t, "T10", func(w *world) {
		tr := w.start(Config{TLS: TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}},
			Listeners: []Listener{{sip.TLS, "127.0.0.1:0"}}}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TLS))
		p.Conn = tls.Client(p.Conn, ClientTLS("example.com", ca.pool))
		isHeld := func() (held bool) {
			tr.conns.each(func(c *conn) {
				c.mu.Lock()
				held = c.held
				c.mu.Unlock()
			})
			return held
		}
		sent := make(chan int)
		go func() {
			n := 0
			for ; !isHeld(); n++ {
				p.Write([]byte(request("TLS", "more", "")))
			}
			sent <- n
		}()
		for n := <-sent; n > 0; n-- {
			if got := p.status(); got != "200 more" {
				w.Fatalf("got %s, %d before the end", got, n)
			}
		}
		p.open()
	})
}

// together holds the writes of a TLS client back once it is told to, so that what ends the handshake and the first
// request come in one segment: TLS then has read the request before the loop has the connection.
type together struct {
	net.Conn
	hold bool
	held []byte
}

func (c *together) Write(b []byte) (int, error) {
	if c.hold {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	c.hold = true // from the second flight on
	return c.Conn.Write(b)
}

func TestLoopTLSBytesOfTheHandshake(t *testing.T) {
	ca := newAuthority(t)
	onLoop(t, "a request with the end of the handshake", func(w *world) {
		tr := w.start(Config{TLS: TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "example.com")}},
			Listeners: []Listener{{sip.TLS, "127.0.0.1:0"}}}, &answerer{})
		for range 20 {
			p := w.dial(addr(w, tr, sip.TLS))
			socket := &together{Conn: p.Conn}
			over := tls.Client(socket, ClientTLS("example.com", ca.pool))
			if err := over.Handshake(); err != nil {
				w.Fatal(err)
			}
			p.Conn = over
			p.send(request("TLS", "first", ""))
			if _, err := socket.Conn.Write(socket.held); err != nil {
				w.Fatal(err)
			}
			if got := p.status(); got != "200 first" {
				w.Fatalf("got %s", got)
			}
		}
	})
}
