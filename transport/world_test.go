package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"biloxi/sip"
	"biloxi/siptest"
)

// world is where a test runs: on the system's sockets, or on a simulated network in virtual time.
type world struct {
	*testing.T
	net    *siptest.Network // nil: the system's
	server string           // the server's IP address
	client string
}

// worlds runs a test, named by its row, on the system's sockets and on a simulated network.
func worlds(t *testing.T, row string, test func(w *world)) {
	t.Run(row+"/sockets", func(t *testing.T) {
		noLeak(t)
		test(&world{T: t, server: "127.0.0.1", client: "127.0.0.1"})
	})
	t.Run(row+"/simulated", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(&world{T: t, net: siptest.NewNetwork(), server: "192.0.2.222", client: "192.0.2.101"})
		})
	})
}

// noLeak checks, when all else of the test is cleaned up, that no goroutine of it is left.
func noLeak(t testing.TB) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// start runs a server of the world; it is shut down when the test ends, at the latest.
func (w *world) start(cfg Config, h Handler) *Transport {
	w.Helper()
	if cfg.Listeners == nil {
		cfg.Listeners = w.listeners()
	}
	if w.net != nil {
		cfg.ListenPacket, cfg.ListenStream, cfg.Dial = w.net.ListenPacket, w.net.Listen, w.net.Dial
	}
	return start(w.T, cfg, h)
}

func (w *world) listeners() []Listener {
	return []Listener{{sip.UDP, w.server + ":0"}, {sip.TCP, w.server + ":0"}}
}

func start(t testing.TB, cfg Config, h Handler) *Transport {
	t.Helper()
	tr, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- tr.Serve() }()
	t.Cleanup(func() {
		shutdown(t, tr)
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return tr
}

func shutdown(t testing.TB, tr *Transport) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tr.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// sendNow sends and flushes.
func sendNow(tr *Transport, flow sip.Flow, to netip.AddrPort, b []byte) error {
	err := tr.Send(flow, to, b)
	tr.Flush()
	return err
}

// addr is where the server listens.
func addr(t testing.TB, tr *Transport, transport sip.Transport) netip.AddrPort {
	t.Helper()
	for _, f := range tr.Addrs() {
		if f.Transport == transport {
			return f.Local
		}
	}
	t.Fatalf("nothing listens on %v", transport)
	return netip.AddrPort{}
}

func (w *world) dial(to netip.AddrPort) *peer {
	w.Helper()
	var c net.Conn
	var err error
	if w.net != nil {
		c, err = w.net.Host(w.client).Dial(context.Background(), to.String())
	} else {
		c, err = net.Dial("tcp", to.String())
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	return &peer{T: w.T, Conn: c}
}

func (w *world) packetConn() net.PacketConn {
	w.Helper()
	var c net.PacketConn
	var err error
	if w.net != nil {
		c, err = w.net.ListenPacket("udp", w.client+":0")
	} else {
		c, err = net.ListenPacket("udp", w.client+":0")
	}
	if err != nil {
		w.Fatal(err)
	}
	if c, ok := c.(*net.UDPConn); ok {
		_ = c.SetReadBuffer(4 << 20) // for tests that send many at once
	}
	w.Cleanup(func() { c.Close() })
	return c
}

// patience is how long a test on real sockets waits for what must come; nothing waits so long that works.
const patience = 10 * time.Second

// peer is the other end of a connection.
type peer struct {
	*testing.T
	net.Conn
	in []byte
}

func (p *peer) send(s string) {
	p.Helper()
	if _, err := p.Write([]byte(s)); err != nil {
		p.Fatalf("write: %v", err)
	}
}

// message reads one message; a pong counts as one.
func (p *peer) message() string {
	p.Helper()
	p.SetReadDeadline(time.Now().Add(patience))
	for {
		if bytes.HasPrefix(p.in, []byte("\r\n")) {
			p.in = p.in[2:]
			return "\r\n"
		}
		if _, n, _, err := sip.Frame(p.in, 1<<20, 1<<20); err != nil {
			p.Fatalf("answer %q: %v", p.in, err)
		} else if n > 0 {
			m := string(p.in[:n])
			p.in = p.in[n:]
			return m
		}
		b := make([]byte, 64<<10)
		n, err := p.Read(b)
		if err != nil {
			p.Fatalf("read: %v (after %q)", err, p.in)
		}
		p.in = append(p.in, b[:n]...)
	}
}

// status reads one response and returns its status code and Call-ID.
func (p *peer) status() string {
	p.Helper()
	return status(p.T, []byte(p.message()))
}

func status(t testing.TB, b []byte) string {
	t.Helper()
	var m sip.Message
	if err := m.Parse(b); err != nil {
		t.Fatalf("answer %q: %v", b, err)
	}
	return fmt.Sprint(m.StatusCode(), " ", string(m.CallID()))
}

// closed waits until the server has closed.
func (p *peer) closed() {
	p.Helper()
	p.SetReadDeadline(time.Now().Add(patience))
	if n, err := io.Copy(io.Discard, p.Conn); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		p.Errorf("%d bytes more and %v, want a closed connection", n, err)
	}
}

// open checks that the server answers.
func (p *peer) open() {
	p.Helper()
	p.send("\r\n\r\n")
	if got := p.message(); got != "\r\n" {
		p.Errorf("got %q, want a pong", got)
	}
}

// request is an OPTIONS with a Via for the transport.
func request(transport, callID, body string) string {
	return "OPTIONS sip:example.com SIP/2.0\r\n" +
		"Via: SIP/2.0/" + transport + " client.example.com:5060;branch=z9hG4bK" + callID + "\r\n" +
		"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n" +
		"Call-ID: " + callID + "\r\nCSeq: 1 OPTIONS\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
}

// answerer is a Handler that answers 200 to all requests and 400 or 513 to what was not one, as a server
// would, and keeps what came.
type answerer struct {
	mu       sync.Mutex
	arrivals []Arrival // with Data of their own
	deferred func(in Arrival, to netip.AddrPort, b []byte)
}

func (a *answerer) Receive(out *Out, in *Arrival) {
	var m sip.Message
	err := m.Parse(in.Data)
	a.keep(in)
	if in.Err != nil {
		err = in.Err
	}
	if m.IsResponse() || !m.Answerable() {
		return
	}
	code := 200
	if err != nil {
		code = 400
		if strings.Contains(err.Error(), "too long") {
			code = 513
		}
	}
	b := sip.AppendResponse(out.Buffer(), &m, code, "", []byte("s"), in.Flow.Remote)
	b = sip.AppendEnd(b, nil)
	to := in.Flow.Remote
	if v, err := m.Via(); err == nil {
		to = v.ResponseAddr(in.Flow.Remote)
	}
	if a.deferred != nil {
		a.deferred(*in, to, append([]byte(nil), b...))
		return
	}
	out.Reply(in, to, b)
}

func (a *answerer) keep(in *Arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := *in
	c.Data = append([]byte(nil), in.Data...)
	a.arrivals = append(a.arrivals, c)
}

func (a *answerer) seen() []Arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Arrival(nil), a.arrivals...)
}

// eventually waits for what other goroutines of a real server do.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for start := time.Now(); !ok(); {
		if time.Since(start) > patience {
			w.Fatalf("not in time: %s", what)
		}
		if w.net != nil {
			synctest.Wait()
		}
		time.Sleep(time.Millisecond)
	}
}
