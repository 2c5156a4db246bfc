package transport

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

// One datagram that the system refuses does not keep the others of its batch.
func TestUnsendable(t *testing.T) {
	noLeak(t)
	// From a loopback address nothing can go to the first; the others are no addresses to send to.
	bad := []string{"192.0.2.1:5060", "255.255.255.255:5060", "224.0.0.1:5060", "0.0.0.0:5060", "127.0.0.1:0", "[2001:db8::1]:5060"}
	tr := start(t, Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}}}, handlerFunc(func(out *Out, in *Arrival) {
		for _, to := range bad {
			out.Reply(in, netip.MustParseAddrPort(to), append(out.Buffer(), "lost"...))
		}
		out.Reply(in, netip.AddrPort{}, append(out.Buffer(), "lost"...))
		out.Reply(in, in.Flow.Remote, make([]byte, maxPayload+1))
		out.Reply(in, in.Flow.Remote, nil)
		out.Reply(in, in.Flow.Remote, append(out.Buffer(), "answer"...))
	}))
	w := &world{T: t, client: "127.0.0.1"}
	if got, _ := exchange(t, w.packetConn(), addr(t, tr, sip.UDP), "request"); got != "answer" {
		t.Errorf("got %q", got)
	}
	for reason, want := range map[string]uint64{"error": 1, "no address": 6, "too large": 1} {
		// The answer is under way before it is counted.
		w.eventually(reason, func() bool { return tr.Stats().Value("unsent", sip.UDP, reason) == want })
	}
}

// Answers larger than what is borrowed for them.
func TestLargeAnswers(t *testing.T) {
	worlds(t, "stream", func(w *world) {
		body := strings.Repeat("x", 100<<10)
		tr := w.start(Config{}, handlerFunc(func(out *Out, in *Arrival) {
			out.Reply(in, in.Flow.Remote, append(out.Buffer(), request("TCP", "small", "")...))
			out.Reply(in, in.Flow.Remote, append(out.Buffer(), request("TCP", "large", body)...))
			out.Reply(in, in.Flow.Remote, append(out.Buffer(), in.Data...))
		}))
		for range 2 {
			p := w.dial(addr(w, tr, sip.TCP))
			p.send(request("TCP", "one", "") + request("TCP", "two", ""))
			for _, want := range []string{request("TCP", "one", ""), request("TCP", "two", "")} {
				if a, b, c := p.message(), p.message(), p.message(); a != request("TCP", "small", "") || b != request("TCP", "large", body) || c != want {
					w.Fatalf("got %d, %d bytes and %.80q", len(a), len(b), c)
				}
			}
		}
	})
	worlds(t, "a peer that does not read, TLS", func(w *world) {
		ca := newAuthority(t)
		h := &answerer{}
		tr, to := w.startTLS(Config{TLS: TLSConfig{Certificates: one(ca.issue(t, nil, "example.com"))}, Limits: Limits{WriteQueue: 50_000}}, h)
		p := w.secure(to, ClientTLS("example.com", ca.pool))
		p.send(request("TLS", "flow", ""))
		p.status()
		var err error
		for i := 0; err == nil && i < 100_000; i++ {
			err = tr.Send(h.seen()[0].Flow, netip.AddrPort{}, make([]byte, 1000))
		}
		if err != ErrFull {
			w.Errorf("Send: %v, want %v", err, ErrFull)
		}
		w.eventually("cut off", func() bool { return tr.Stats().Value("closed", sip.TLS, "queue full") == 1 })
	})
}

func one[T any](v T) []T { return []T{v} }

// lame is a listener that has no file descriptors for a while.
type lame struct {
	net.Listener
	mu   sync.Mutex
	left int
}

func (l *lame) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left > 0 {
		l.left--
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close() // only its address is of use here
		failing := &lame{Listener: l, left: 12}
		tr, err := New(Config{Listeners: []Listener{{sip.TCP, "127.0.0.1:0"}}, ListenStream: func(string, string) (net.Listener, error) { return failing, nil }}, &answerer{})
		if err == nil {
			err = tr.Listen()
		}
		if err != nil {
			t.Fatal(err)
		}
		go tr.Serve()
		time.Sleep(20 * time.Second)
		// 5, 10, … 640 ms and then a second each: no busy loop.
		if n := tr.Stats().Value("accept errors", sip.TCP, ""); n < 12 || n > 30 {
			t.Errorf("%d errors in 20 s", n)
		}
		shutdown(w, tr)
	})
}

// A connection opened for an answer counts against the limits as any other.
func TestDialRefused(t *testing.T) {
	simulated(t, "connections", func(w *world) {
		tr := w.start(Config{Limits: Limits{MaxConns: 1}}, &authenticator{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "in", ""))
		p.status()
		l, err := w.net.Host("192.0.2.103").Listen(5060)
		if err != nil {
			w.Fatal(err)
		}
		defer l.Close()
		f := sip.Flow{Transport: sip.TCP, Local: addr(w, tr, sip.TCP), Remote: netip.MustParseAddrPort("192.0.2.103:49152"), Serial: 1}
		if err := tr.Send(f, netip.MustParseAddrPort("192.0.2.103:5060"), []byte("x")); err != ErrFull {
			w.Errorf("Send: %v, want %v", err, ErrFull)
		}
		if n := tr.Stats().Value("refused", sip.TCP, "connections"); n != 1 {
			w.Errorf("%d refused", n)
		}
	})
}

func TestRefuse(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.1:5060")
	stun := stunBinding
	for _, c := range []struct {
		data string
		from netip.AddrPort
		want counter
	}{
		{"OPTIONS sip:a SIP/2.0", from, noCounter},
		{"\r\nOPTIONS sip:a SIP/2.0", from, noCounter},
		{"", from, keepAlives},
		{"\r\n\r\n", from, keepAlives},
		{"\n", from, keepAlives},
		{"\x00\x00\x00\x00", from, keepAlives},
		{"\x00\x01", from, noCounter},
		{stun, from, stunPings},
		{stun[:19], from, noCounter},
		{"\x40" + stun[1:], from, noCounter},
		{stun[:7] + "\x43" + stun[8:], from, noCounter},
		{"OPTIONS sip:a SIP/2.0", netip.AddrPortFrom(from.Addr(), 0), droppedPort},
	} {
		if got := refuse([]byte(c.data), c.from); got != c.want {
			t.Errorf("%q from %v: %d, want %d", c.data, c.from, got, c.want)
		}
	}
}
