package conformance

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestStream: messages on TCP and TLS (RFC 3261 §18.3, §7.5; RFC 5626 §4.4.1).
func TestStream(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"

	t.Run("TP-013", func(t *testing.T) {
		for _, transport := range []sip.Transport{tcp, tls} {
			p := phoneOver(t, b, transport)
			// Nobody listens at the sent-by: what comes, comes down the same connection.
			p.Once(Via("SIP/2.0/" + transport.String() + " 127.0.0.1:9;branch=z9hG4bK" + Token())).Expect(401)
			p.Register(Contact("<" + strings.Replace(one, "sip:", p.Scheme+":", 1) + ">")).Expect(200)
		}
	})
	t.Run("TP-020", func(t *testing.T) {
		p := phoneOver(t, b, tcp)
		r := p.Once(Via("SIP/2.0/TCP 10.1.2.3:5999;rport;branch=z9hG4bK" + Token())).Expect(401)
		v, _ := r.Message.Via()
		if port, _ := v.Params.Value("rport"); string(port) != portOf(p) {
			r.Fatalf("rport is %s, not %s", port, portOf(p))
		}
	})
	t.Run("TP-025", func(t *testing.T) {
		p := phoneOver(t, b, tcp)
		p.Challenged()
		p.Start(p.Credentials(Credentials{}), Contact("<"+one+">"))
		p.Receive().Expect(200)
		request := p.Sent
		next := func(i int) []byte {
			return bytes.Replace(request, []byte("branch=z9hG4bK"), []byte("branch=z9hG4bK"+strings.Repeat("x", i%7+1)), 1)
		}
		// Cut at each byte of its last lines, where the framing is decided, and at some of the others.
		for i := 1; i < len(request); i++ {
			if i > 40 && i < len(request)-25 && i%16 != 0 {
				continue
			}
			one := next(i)
			p.Send(one[:i])
			p.Send(one[i:])
			p.Receive().Expect(200, 401, 500)
		}
		// Several in one segment.
		p.Send(bytes.Repeat(next(3), 5))
		for range 5 {
			p.Receive().Expect(200, 401, 500)
		}
	})
	t.Run("TP-026", func(t *testing.T) {
		p := phoneOver(t, b, tcp)
		p.Start(NoLength())
		p.Receive().Expect(400)
		wantClosed(t, p)
		phoneOver(t, b, tcp).Once().Expect(401)
	})
	t.Run("TP-031", func(t *testing.T) {
		healthy := phoneOver(t, b, tcp)
		healthy.Once().Expect(401)
		// A header section that never ends: there is nothing to answer. What is over the limit cannot be
		// skipped, so the connection goes, and no other.
		p := phoneOver(t, b, tcp)
		p.Conn.Send([]byte("REGISTER sip:a SIP/2.0\r\nX: " + strings.Repeat("x", 1<<20)))
		wantClosed(t, p)
		// A body over the limit is answered.
		q := phoneOver(t, b, tcp)
		q.Start(NoLength(), Line("Content-Length: 100000000"))
		q.Receive().Expect(400, 413, 513)
		wantClosed(t, q)
		healthy.Once().Expect(401)
	})
	t.Run("HD-008", func(t *testing.T) {
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			p := phoneOver(t, b, transport)
			p.Once().Expect(401).Want("Content-Length", "0")
			p.Query().Expect(200).Want("Content-Length", "0")
			p.Once(Method("OPTIONS")).Expect(200).Want("Content-Length", "0")
		}
	})
	t.Run("OB-018", func(t *testing.T) {
		for _, transport := range []sip.Transport{tcp, tls} {
			p := phoneOver(t, b, transport)
			for range 3 {
				if err := p.Conn.Send([]byte("\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				if pong, err := ReceiveBytes(p.Conn, 5*time.Second); err != nil || string(pong) != "\r\n" {
					t.Fatalf("%s: pong %q, %v", transport, pong, err)
				}
			}
			p.Once().Expect(401)
		}
	})
}

func portOf(p *Phone) string {
	_, port, _ := strings.Cut(p.Conn.Local().String(), ":")
	return port
}

// wantClosed fails the test unless the server closes the phone's connection.
func wantClosed(t *testing.T, p *Phone) {
	t.Helper()
	for {
		_, err := ReceiveBytes(p.Conn, 5*time.Second)
		if err == nil {
			continue
		}
		if err == ErrSilence {
			t.Fatal("the connection stays open")
		}
		return
	}
}

// TestClosedConnection: the connection of a request is gone when its answer is ready, so the answer goes
// to the source address at the port of sent-by (RFC 3261 §18.2.2).
func TestClosedConnection(t *testing.T) {
	b := start(t)
	t.Run("TP-014", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		answered := make(chan net.Conn, 1)
		go func() {
			if c, err := l.Accept(); err == nil {
				answered <- c
			}
		}()
		// The server may be done before it sees the end of the connection; then the answer is lost on it.
		for range 50 {
			p := phoneOver(t, b, tcp)
			p.Challenged()
			p.Start(Via("SIP/2.0/TCP "+l.Addr().String()+";branch=z9hG4bK"+Token()), p.Credentials(Credentials{}), Contact("<sip:one@192.0.2.1>"))
			p.Conn.Close()
			select {
			case c := <-answered:
				defer c.Close()
				p.Conn = OverStream(tcp, c)
				p.Receive().Expect(200)
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
		t.Error("no answer came to the port of sent-by")
	})
}

// TestConnections: how long connections live, in virtual time.
func TestConnections(t *testing.T) {
	t.Run("TP-001", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			if b.Addr(udp) != b.Addr(tcp) {
				t.Fatalf("UDP at %s, TCP at %s", b.Addr(udp), b.Addr(tcp))
			}
			for _, transport := range []sip.Transport{udp, tcp} {
				phoneOver(t, b, transport).Once(Method("OPTIONS")).Expect(200)
			}
		})
	})
	t.Run("TP-002", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for transport, port := range map[sip.Transport]uint16{udp: 5060, tcp: 5060, tls: 5061} {
				if got := b.Addr(transport).Port(); got != port {
					t.Errorf("%s listens to %d", transport, got)
				}
				phoneOver(t, b, transport).Once(Method("OPTIONS")).Expect(200)
			}
		})
	})
	t.Run("TP-009", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := phoneOver(t, b, tcp)
			p.Register(Contact("<sip:one@192.0.2.1>")).Expect(200)
			time.Sleep(64 * 500 * time.Millisecond)
			p.Query().Expect(200)
			time.Sleep(10 * time.Minute)
			p.Query().Expect(200)
		})
	})
	t.Run("T10", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			for _, transport := range []sip.Transport{tcp, tls} {
				for range 20 {
					p := phoneOver(t, b, transport)
					p.Challenged()
					p.Start(p.Credentials(Credentials{}), Contact("<"+p.Scheme+":one@192.0.2.1>"))
					p.Conn.Close()
				}
			}
			time.Sleep(time.Minute)
			p := newPhone(t, b)
			p.Register(Contact("<sip:one@192.0.2.1>")).Expect(200)
		})
	})
}
