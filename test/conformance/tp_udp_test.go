package conformance

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// topVia is the topmost Via of a response.
func topVia(r *Response) string { return allVias(r)[0] }

// TestUDP: datagrams (RFC 3261 §18, RFC 3581).
func TestUDP(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"

	t.Run("TP-005", func(t *testing.T) {
		p := newPhone(t, b)
		p.Challenged()
		body := []Edit{Line("Content-Disposition: render;handling=optional"), Body("text/plain", strings.Repeat("x", 60_000))}
		p.Once(append(body, p.Credentials(Credentials{}), Contact("<"+one+">"))...).Expect(200).Bound(one)
		if len(p.Sent) < 60_000 {
			t.Errorf("sent %d bytes", len(p.Sent))
		}
	})
	t.Run("TP-010", func(t *testing.T) {
		p := newPhone(t, b)
		p.Send([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP elsewhere.example;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" +
			"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"))
		p.Silence(200 * time.Millisecond)
		p.Once().Expect(401)
	})
	t.Run("TP-011", func(t *testing.T) {
		p := newPhone(t, b)
		port := strconv.Itoa(int(p.Conn.Local().Port()))
		for _, host := range []string{"client.biloxi.example.com:" + port, "192.0.2.77:" + port} {
			r := p.Once(Via("SIP/2.0/UDP " + host + ";branch=" + "z9hG4bK" + Token())).Expect(401)
			if !strings.HasSuffix(topVia(r), ";received=127.0.0.1") {
				r.Fatalf("no received")
			}
		}
		r := p.Once(Via("SIP/2.0/UDP 127.0.0.1:" + port + ";branch=z9hG4bK" + Token())).Expect(401)
		if strings.Contains(topVia(r), "received") {
			r.Fatalf("received is added though sent-by is the source")
		}
	})
	t.Run("TP-012", func(t *testing.T) {
		p := newPhone(t, b)
		port := strconv.Itoa(int(p.Conn.Local().Port()))
		r := p.Once(Via("SIP/2.0/UDP client.example.com:" + port + ";received=192.0.2.66;branch=z9hG4bK" + Token())).Expect(401)
		if v := topVia(r); strings.Contains(v, "192.0.2.66") || !strings.Contains(v, ";received=127.0.0.1") {
			r.Fatalf("a spoofed received")
		}
	})
	t.Run("TP-015", func(t *testing.T) {
		p := newPhone(t, b)
		// maddr is passed over, so that nobody can have our answers sent to a third party.
		r := p.Once(Via("SIP/2.0/UDP " + p.Conn.Local().String() + ";maddr=192.0.2.66;branch=z9hG4bK" + Token())).Expect(401)
		if !strings.Contains(topVia(r), "maddr=192.0.2.66") {
			r.Fatalf("the Via is changed")
		}
	})
	t.Run("TP-016", func(t *testing.T) {
		// Two sockets: the request goes out of one, and names the other in its Via.
		out, in := b.ListenPacket(t), b.ListenPacket(t)
		p := phoneOver(t, b, udp)
		p.Conn = OverPacket(out, b.Addr(udp))
		at := OverPacket(in, b.Addr(udp)).Local()
		p.Start(Via("SIP/2.0/UDP " + at.String() + ";branch=z9hG4bK" + Token()))
		p.Silence(100 * time.Millisecond)
		p.Conn = OverPacket(in, b.Addr(udp))
		p.Receive().Expect(401)
	})
	t.Run("TP-017", func(t *testing.T) {
		p := newPhone(t, b)
		want := ";rport=" + strconv.Itoa(int(p.Conn.Local().Port()))
		r := p.Once(Via("SIP/2.0/UDP " + p.Conn.Local().String() + ";rport;branch=z9hG4bK" + Token())).Expect(401)
		if v := topVia(r); !strings.Contains(v, want) || !strings.Contains(v, ";received=127.0.0.1") {
			r.Fatalf("rport is not filled")
		}
	})
	t.Run("TP-018", func(t *testing.T) {
		p := newPhone(t, b)
		// As behind a NAT: sent-by is an address that means nothing here.
		p.Once(Via("SIP/2.0/UDP 10.1.2.3:5999;rport;branch=z9hG4bK" + Token())).Expect(401)
	})
	t.Run("TP-021", func(t *testing.T) {
		p := newPhone(t, b)
		p.Start()
		request := string(p.Sent)
		p.Receive().Expect(401)
		p.Send([]byte(strings.Replace(request, "z9hG4bK", "z9hG4bKx", 1) + "garbage\r\n\r\nREGISTER"))
		p.Receive().Expect(401)
		p.Silence(50 * time.Millisecond)
	})
	t.Run("TP-022", func(t *testing.T) {
		p := newPhone(t, b)
		p.Once(NoLength(), Line("Content-Length: 999")).Expect(400)
	})
	t.Run("TP-023", func(t *testing.T) {
		p := newPhone(t, b)
		p.Send([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " + b.Addr(udp).String() + ";branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n" +
			"To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 999\r\n\r\n"))
		p.Silence(200 * time.Millisecond)
	})
	t.Run("TP-024", func(t *testing.T) {
		p := newPhone(t, b)
		p.Register(NoLength(), Contact("<"+one+">")).Expect(200).Bound(one)
	})
	t.Run("TP-027", func(t *testing.T) {
		p := newPhone(t, b)
		p.Start()
		p.Receive()
		p.Send(append([]byte("\r\n\r\n"), p.Sent...))
		p.Receive().Expect(401)
	})
	t.Run("TP-028/HD-012", func(t *testing.T) {
		p := newPhone(t, b)
		p.Send([]byte("REGISTER sip:" + bed.Domain + " SIP/2.0\r\n" +
			"v:  SIP  / 2.0\r\n /UDP\r\n\t" + p.Conn.Local().String() + " ;\r\n  branch  =  z9hG4bKFolded ; rport\r\n" +
			"f: \"A \\\"quoted\\\"\r\n name\"\r\n  <" + p.AOR() + ">\r\n ; tag = 98asjd8\r\n" +
			"TO :\r\n <" + p.AOR() + ">\r\n" +
			"cseq: 0099\r\n  REGISTER\r\n" +
			"I: folded-" + Token() + "\r\n" +
			"max-FORWARDS: 0068\r\n" +
			"M: <sip:one@192.0.2.1>; Expires = 100 ,\r\n <sip:two@192.0.2.2>\r\n ;EXPIRES=200\r\n" +
			"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n" +
			"L: 0\r\n\r\n"))
		r := p.Receive().Expect(401)
		if cseq, err := r.Message.CSeq(); err != nil || cseq.Number != 99 {
			r.Fatalf("CSeq %+v, %v", cseq, err)
		}
		if v, err := r.Message.Via(); err != nil || string(v.Branch()) != "z9hG4bKFolded" || !v.Params.Has("received") {
			r.Fatalf("Via %+v, %v", v, err)
		}
	})
	t.Run("TP-038", func(t *testing.T) {
		p := newPhone(t, b)
		for _, garbage := range []string{"", "\x00", "\r\n", "garbage", strings.Repeat("\xff", 1500), "GET / HTTP/1.0\r\n\r\n"} {
			p.Send([]byte(garbage))
		}
		p.Silence(200 * time.Millisecond)
		p.Once().Expect(401)
	})
	t.Run("OB-019", func(t *testing.T) {
		c, err := net.Dial("udp", b.Addr(sip.UDP).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		const binding = "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"
		if _, err := c.Write([]byte(binding)); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer := make([]byte, 100)
		n, err := c.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		// RFC 5389 §15.2: XOR-MAPPED-ADDRESS of IPv4, the port and address mixed with the cookie.
		port := netip.MustParseAddrPort(c.LocalAddr().String()).Port() ^ 0x2112
		want := "\x01\x01\x00\x0c" + binding[4:] + "\x00\x20\x00\x08\x00\x01" + string([]byte{byte(port >> 8), byte(port)}) +
			string([]byte{127 ^ 0x21, 0 ^ 0x12, 0 ^ 0xa4, 1 ^ 0x42})
		if string(answer[:n]) != want {
			t.Errorf("%x, want %x", answer[:n], want)
		}
	})
}

// TestUDPFolded binds the contacts of folded, compact and comma-separated lines.
func TestUDPFolded(t *testing.T) {
	b := start(t)
	t.Run("TP-028", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Register(Line("M: <sip:one@192.0.2.1>; Expires = 100 ,\r\n <sip:two@192.0.2.2>\r\n ;EXPIRES=200",
			"m:\t\"A, B\" <sip:three@192.0.2.3;x=y>", "NewFangledHeader:   newfangled value\r\n continued"), NoLength(), Line("l : 0"))
		r.Expect(200).Bound("sip:one@192.0.2.1", "sip:two@192.0.2.2", "sip:three@192.0.2.3;x=y").
			Lasts("sip:one@192.0.2.1", 100, 0).Lasts("sip:two@192.0.2.2", 200, 0)
	})
}

// TestUDPTwoAddresses: an answer leaves from the address that the request came to.
func TestUDPTwoAddresses(t *testing.T) {
	t.Run("TP-019", func(t *testing.T) {
		b := start(t, func(c *config.Config) {
			first := c.Listeners[0]
			first.Address = "127.0.0.2:0"
			c.Listeners = append(c.Listeners, first)
		})
		seen := map[netip.Addr]bool{}
		for _, a := range b.Server.Addrs() {
			if a.Transport != udp {
				continue
			}
			c, err := net.ListenPacket("udp", a.Local.Addr().String()+":0")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			// A wire takes what comes from this address and port, and nothing else.
			p := NewPhone(t, OverPacket(c, a.Local), "alice", bed.Domain, bed.Password("alice"))
			p.Query().Expect(200)
			seen[a.Local.Addr()] = true
		}
		if len(seen) != 2 {
			t.Errorf("listened to %v", seen)
		}
	})
}

// TestIPv6 is the same server on IPv6.
func TestIPv6(t *testing.T) {
	t.Run("TP-037", func(t *testing.T) {
		b := bed.Start(t, bed.Options{Address: "::1"})
		p := newPhone(t, b)
		const one = "sip:one@[2001:db8::9:1]:5070"
		p.Register(Contact("<" + one + ">")).Expect(200).Bound(one)
		port := strconv.Itoa(int(p.Conn.Local().Port()))
		r := p.Once(Via("SIP/2.0/UDP [2001:db8::9:1]:" + port + ";branch=z9hG4bK" + Token())).Expect(401)
		if v := topVia(r); !strings.HasSuffix(v, ";received=::1") {
			r.Fatalf("the Via is %s", v)
		}
		q := phoneOver(t, b, tcp)
		q.Query(URI("sip:[::1]:5060")).Expect(200, 404)
		q.Register(Contact("<" + one + ">")).Expect(200).Bound(one)
	})
}
