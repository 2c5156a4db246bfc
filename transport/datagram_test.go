package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

// exchange sends a datagram and returns the answer and where it came from.
func exchange(t testing.TB, c net.PacketConn, to netip.AddrPort, b string) (string, netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteTo([]byte(b), net.UDPAddrFromAddrPort(to)); err != nil {
		t.Fatal(err)
	}
	return receive(t, c)
}

func receive(t testing.TB, c net.PacketConn) (string, netip.AddrPort) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 65535)
	n, from, err := c.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n]), addrPort(from)
}

func TestDatagram(t *testing.T) {
	worlds(t, "TP-001", func(w *world) {
		first := w.start(Config{Listeners: []Listener{{sip.TCP, w.server + ":0"}}}, &answerer{})
		port := addr(w, first, sip.TCP).Port()
		shutdown(w, first)
		address := fmt.Sprint(w.server, ":", port)
		tr := w.start(Config{Listeners: []Listener{{sip.UDP, address}, {sip.TCP, address}}}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(request("TCP", "tcp", ""))
		if got := p.status(); got != "200 tcp" {
			w.Errorf("TCP: %s", got)
		}
		if got, from := exchange(w, w.packetConn(), addr(w, tr, sip.UDP), rport("udp")); status(w.T, []byte(got)) != "200 udp" || from.Port() != port {
			w.Errorf("UDP: %q from %v", got, from)
		}
	})
	worlds(t, "TP-005", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		large := strings.Replace(rport("large"), "Content-Length: 0\r\n\r\n", "Content-Length: 60000\r\n\r\n"+strings.Repeat("x", 60000), 1)
		if got, _ := exchange(w, w.packetConn(), addr(w, tr, sip.UDP), large); status(w.T, []byte(got)) != "200 large" {
			w.Errorf("got %q", got)
		}
		if got := h.seen()[0].Data; string(got) != large {
			w.Errorf("%d bytes arrived of %d", len(got), len(large))
		}
	})
	worlds(t, "TP-016", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		c, sentBy := w.packetConn(), w.packetConn()
		r := strings.Replace(request("UDP", "sentby", ""), "client.example.com:5060", "client.example.com:"+port(sentBy), 1)
		if _, err := c.WriteTo([]byte(r), net.UDPAddrFromAddrPort(addr(w, tr, sip.UDP))); err != nil {
			w.Fatal(err)
		}
		if got, _ := receive(w, sentBy); status(w.T, []byte(got)) != "200 sentby" {
			w.Errorf("got %q", got)
		}
	})
	worlds(t, "TP-018", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		c := w.packetConn()
		got, from := exchange(w, c, addr(w, tr, sip.UDP), rport("nat"))
		if status(w.T, []byte(got)) != "200 nat" || from != addr(w, tr, sip.UDP) {
			w.Errorf("got %q from %v", got, from)
		}
		f := h.seen()[0].Flow
		if want := (sip.Flow{Transport: sip.UDP, Local: addr(w, tr, sip.UDP), Remote: addrPort(c.LocalAddr())}); f != want {
			w.Errorf("flow %+v, want %+v", f, want)
		}
	})
	worlds(t, "TP-038", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		c, to := w.packetConn(), addr(w, tr, sip.UDP)
		for _, b := range []string{"", "\r\n\r\n", "\r\n", "\x00\x00\x00\x00"} {
			c.WriteTo([]byte(b), net.UDPAddrFromAddrPort(to))
		}
		if got, _ := exchange(w, c, to, rport("after")); status(w.T, []byte(got)) != "200 after" {
			w.Errorf("got %q", got)
		}
		s := tr.Stats()
		if len(h.seen()) != 1 || s.Value("keepalives", sip.UDP, "") != 4 {
			w.Errorf("%d arrivals, stats %+v", len(h.seen()), s)
		}
	})
	worlds(t, "deferred", func(w *world) {
		h := &answerer{}
		tr := w.start(Config{}, h)
		c, to := w.packetConn(), addr(w, tr, sip.UDP)
		exchange(w, c, to, rport("flow"))
		f := h.seen()[0].Flow
		if w.net != nil {
			synctest.Wait()
		}
		const n = 300
		for i := range n {
			if err := tr.Send(f, f.Remote, []byte(fmt.Sprint(i))); err != nil {
				w.Fatal(err)
			}
		}
		if w.net != nil { // on real sockets the reader may still be at the end of its batch
			c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, _, err := c.ReadFrom(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
				w.Errorf("something left before Flush: %v", err)
			}
		}
		tr.Flush()
		for i := range n {
			if got, from := receive(w, c); got != fmt.Sprint(i) || from != to {
				w.Fatalf("got %q from %v, want %d", got, from, i)
			}
		}
		f.Local = netip.MustParseAddrPort("198.51.100.1:5060")
		if err := tr.Send(f, f.Remote, []byte("x")); err != ErrFlow {
			w.Errorf("a flow of nobody: %v", err)
		}
		f.Local = to
		for _, bad := range []string{"0.0.0.0:5060", "192.0.2.1:0", "[2001:db8::1]:5060"} {
			if err := tr.Send(f, netip.MustParseAddrPort(bad), []byte("x")); err != ErrTo {
				w.Errorf("to %s: %v", bad, err)
			}
		}
		if err := tr.Send(f, f.Remote, make([]byte, maxPayload+1)); err != ErrTo {
			w.Errorf("too large: %v", err)
		}
	})
}

// rport is a request that asks for an answer to its source port.
func rport(callID string) string {
	return strings.Replace(request("UDP", callID, ""), ";branch", ";rport;branch", 1)
}

func port(c net.PacketConn) string { return fmt.Sprint(addrPort(c.LocalAddr()).Port()) }

// The two kinds of UDP socket do the same.
func TestPortableSocket(t *testing.T) {
	noLeak(t)
	tr := start(t, Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}}, ListenPacket: net.ListenPacket}, &answerer{})
	if _, ok := tr.sockets[0].io.(*portableIO); !ok {
		t.Fatalf("the socket is a %T", tr.sockets[0].io)
	}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 100 {
		if got, _ := exchange(t, c, addr(t, tr, sip.UDP), rport(fmt.Sprint(i))); status(t, []byte(got)) != fmt.Sprint("200 ", i) {
			t.Fatalf("got %q", got)
		}
	}
}

// A batch larger than one system call, and answers larger than the arena.
func TestBatches(t *testing.T) {
	noLeak(t)
	answer := strings.Repeat("a", 1400)
	gate := make(chan struct{})
	tr := start(t, Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}}}, handlerFunc(func(out *Out, in *Arrival) {
		<-gate
		out.Reply(in, in.Flow.Remote, append(append(out.Buffer(), answer...), in.Data...))
		out.Reply(in, in.Flow.Remote, append(append([]byte(nil), in.Data...), answer...))
	}))
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.UDPConn).SetReadBuffer(4 << 20)
	const n = 200
	for i := range n {
		if _, err := c.WriteTo(fmt.Appendf(nil, "m%03d", i), net.UDPAddrFromAddrPort(addr(t, tr, sip.UDP))); err != nil {
			t.Fatal(err)
		}
	}
	close(gate)
	for i := range n {
		want := fmt.Sprintf("m%03d", i)
		if got, _ := receive(t, c); got != answer+want {
			t.Fatalf("got %.20q… of %d bytes, want the answer to %s", got, len(got), want)
		}
		if got, _ := receive(t, c); got != want+answer {
			t.Fatalf("got %.20q…, want the copy for %s", got, want)
		}
	}
}

type handlerFunc func(out *Out, in *Arrival)

func (f handlerFunc) Receive(out *Out, in *Arrival) { f(out, in) }

// RFC 3581 §4: a server bound to all addresses answers from the one that was asked.
func TestSourceAddress(t *testing.T) {
	for _, c := range []struct{ listen, server, client string }{
		{"0.0.0.0:0", "127.0.0.2", "127.0.0.3"},
		{":0", "127.0.0.2", "127.0.0.3"},
		{":0", "::1", "::1"},
		{"[::]:0", "::1", "::1"},
	} {
		t.Run("TP-019/"+c.listen+" "+c.server, func(t *testing.T) {
			noLeak(t)
			if strings.Contains(c.server, ":") || strings.HasPrefix(c.listen, ":") {
				needIPv6(t)
			}
			h := &answerer{}
			tr := start(t, Config{Listeners: []Listener{{sip.UDP, c.listen}}}, h)
			server := netip.AddrPortFrom(netip.MustParseAddr(c.server), addr(t, tr, sip.UDP).Port())
			client, err := net.ListenPacket("udp", net.JoinHostPort(c.client, "0"))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			got, from := exchange(t, client, server, rport("home"))
			if status(t, []byte(got)) != "200 home" || from != server {
				t.Errorf("%q from %v, want it from %v", got, from, server)
			}
			f := h.seen()[0].Flow
			if f.Local != server || f.Remote != addrPort(client.LocalAddr()) {
				t.Errorf("flow %+v", f)
			}
			if err := tr.Send(f, f.Remote, []byte("later")); err != nil {
				t.Fatal(err)
			}
			tr.Flush()
			if got, from := receive(t, client); got != "later" || from != server {
				t.Errorf("%q from %v, want it from %v", got, from, server)
			}
		})
	}
}

func needIPv6(t *testing.T) {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	c.Close()
}

func TestIPv6(t *testing.T) {
	worlds(t, "TP-037", func(w *world) {
		w.server, w.client = "[::1]", "[::1]"
		if w.net != nil {
			w.server, w.client = "[2001:db8::222]", "[2001:db8::101]"
		} else {
			needIPv6(w.T)
		}
		h := &answerer{}
		tr := w.start(Config{}, h)
		got, _ := exchange(w, w.packetConn(), addr(w, tr, sip.UDP), rport("six"))
		if want := ";received=" + strings.Trim(w.client, "[]"); !strings.Contains(got, want) {
			w.Errorf("got %q, want %s in it", got, want)
		}
		if f := h.seen()[0].Flow; !f.Local.Addr().Is6() || !f.Remote.Addr().Is6() {
			w.Errorf("flow %+v", f)
		}
	})
}

func TestReceivedAndRport(t *testing.T) {
	worlds(t, "TP-017", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		c := w.packetConn()
		got, _ := exchange(w, c, addr(w, tr, sip.UDP), rport("r"))
		if want := ";rport=" + port(c); !strings.Contains(got, want) || !strings.Contains(got, ";received="+w.client) {
			w.Errorf("got %q", got)
		}
	})
	worlds(t, "TP-020", func(w *world) {
		tr := w.start(Config{}, &answerer{})
		p := w.dial(addr(w, tr, sip.TCP))
		p.send(strings.Replace(rport("r"), "SIP/2.0/UDP", "SIP/2.0/TCP", 1))
		if got, want := p.message(), fmt.Sprint(";rport=", addrPort(p.LocalAddr()).Port()); !strings.Contains(got, want) {
			w.Errorf("got %q, want %s in it", got, want)
		}
	})
}

// refusing is a net.PacketConn whose first reads fail as an ICMP error has them fail.
type refusing struct {
	net.PacketConn
	left int
}

func (r *refusing) ReadFrom(b []byte) (int, net.Addr, error) {
	if r.left > 0 {
		r.left--
		return 0, nil, &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("recvfrom", syscall.ECONNREFUSED)}
	}
	return r.PacketConn.ReadFrom(b)
}

func TestReadErrors(t *testing.T) {
	noLeak(t)
	cfg := Config{Listeners: []Listener{{sip.UDP, "127.0.0.1:0"}}, ListenPacket: func(network, address string) (net.PacketConn, error) {
		c, err := net.ListenPacket(network, address)
		return &refusing{c, maxReadErrors + 2}, err
	}}
	tr := start(t, cfg, &answerer{})
	c := (&world{T: t, client: "127.0.0.1"}).packetConn()
	if got, _ := exchange(t, c, addr(t, tr, sip.UDP), rport("on")); status(t, []byte(got)) != "200 on" {
		t.Errorf("got %q", got)
	}
	if n := tr.Stats().Value("read errors", sip.UDP, ""); n != maxReadErrors+2 {
		t.Errorf("%d counted", n)
	}
}
