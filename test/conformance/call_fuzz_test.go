package conformance

import (
	"bytes"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
	"biloxi/transaction"
)

// FuzzCall has a stranger send bytes as a datagram through a whole server to bob's phone, which answers each request
// that it gets with bytes of its own. What reaches the phone is a request that was forwarded, what reaches the caller
// is a response to what he sent, and the server goes on.
func FuzzCall(f *testing.F) {
	b := bed.Start(f, bed.Options{Network: NewNetwork(), Address: "192.0.2.222",
		Timers: transaction.Timers{T1: time.Millisecond, T2: 4 * time.Millisecond, T4: 5 * time.Millisecond},
		Config: func(c *config.Config) { c.Location.Durability = config.DurabilityNone }})
	caller, phone := b.ListenPacket(f), b.ListenPacket(f)
	bob := NewPhone(f, OverPacket(phone, b.Addr(udp)), "bob", bed.Domain, bed.Password("bob"))
	bob.Register(Contact("<sip:bob@" + phone.LocalAddr().String() + ">")).Expect(200)
	watch := NewPhone(f, OverPacket(b.ListenPacket(f), b.Addr(udp)), "alice", bed.Domain, bed.Password("alice"))

	const head = " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:carol@chicago.example.com>;tag=1\r\n" +
		"To: <sip:bob@biloxi.example.com>\r\nCall-ID: 1\r\n"
	answer := "SIP/2.0 200 OK\r\nContact: <sip:bob@192.0.2.1>\r\nRecord-Route: <sip:p;lr>\r\nContent-Type: a/b\r\n\r\nhello"
	for _, method := range []string{"INVITE", "MESSAGE", "ACK", "CANCEL", "SUBSCRIBE", "NEW"} {
		f.Add([]byte(method+" sip:bob@biloxi.example.com"+head+"CSeq: 1 "+method+"\r\nContact: <sip:c@192.0.2.9>\r\n\r\nbody"), []byte(answer))
	}
	f.Add([]byte("INVITE sip:bob@biloxi.example.com"+head+"Route: <sip:ss2.biloxi.example.com;lr>, <sip:192.0.2.222;lr>\r\nMax-Breadth: 3\r\nCSeq: 1 INVITE\r\n\r\n"),
		[]byte("SIP/2.0 302 Moved\r\nContact: <sip:x@192.0.2.1>;q=0.5, mailto:a@b\r\n\r\n"))
	f.Add([]byte("INVITE sip:192.0.2.222;lr"+head+"Route: <sip:bob@biloxi.example.com>\r\nCSeq: 1 INVITE\r\n\r\n"),
		[]byte("SIP/2.0 407 Proxy\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n"))
	f.Add([]byte("BYE sip:bob@biloxi.example.com;maddr=192.0.2.222"+head+"CSeq: 2 BYE\r\n\r\n"), []byte("SIP/2.0 100 Trying\r\n\r\n"))

	f.Fuzz(func(t *testing.T, request, response []byte) {
		watch.T = t
		sent := withReturnTo(request, caller.LocalAddr().String())
		if _, err := caller.WriteTo(sent, net.UDPAddrFromAddrPort(b.Addr(udp))); err != nil {
			return // no datagram has so many bytes
		}
		sentinel(t, watch, "the request") // the server is through with it
		for _, got := range arrived(t, phone) {
			wantForwarded(t, got)
			back := answerWith(got, response)
			if _, err := phone.WriteTo(back, net.UDPAddrFromAddrPort(b.Addr(udp))); err != nil {
				return
			}
			sentinel(t, watch, "the response")
		}
		for _, got := range arrived(t, caller) {
			wantAnswer(t, got, sent)
		}
	})
}

// arrived takes what a socket has received.
func arrived(t *testing.T, c net.PacketConn) (list [][]byte) {
	t.Helper()
	buf := make([]byte, 1<<16)
	for {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, _, err := c.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, bytes.Clone(buf[:n]))
	}
}

// wantForwarded fails the test unless a message is a request that went through the server.
func wantForwarded(t *testing.T, got []byte) {
	t.Helper()
	var m sip.Message
	var r sip.Request
	if err := m.Parse(got); err != nil {
		t.Fatalf("the phone got what cannot be read: %v\n%s", err, got)
	}
	if err := r.Decode(&m); err != nil {
		t.Fatalf("the phone got what cannot be read: %v\n%s", err, got)
	}
	if hops, how := r.MaxForwards(); how != sip.Present || hops > 254 || string(r.Via.Host) != "192.0.2.222" {
		t.Fatalf("the phone got what was not forwarded:\n%s", got)
	}
}

// answerWith is a response of the phone: the start-line and the rest are the input's, and what tells whose it is is
// the request's.
func answerWith(request, response []byte) []byte {
	var m sip.Message
	if m.Parse(request) != nil {
		return response
	}
	line, rest, found := bytes.Cut(response, []byte("\r\n"))
	if !found {
		return response
	}
	b := append(bytes.Clone(line), "\r\n"...)
	for i := range m.Len() {
		switch h, _, _ := m.Field(i); h {
		case sip.HeaderVia, sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq:
			b = append(b, m.Line(i)...)
		}
	}
	return append(b, rest...)
}

// wantAnswer fails the test unless a message is a response to what was sent, without a Via of the server's.
func wantAnswer(t *testing.T, got, sent []byte) {
	t.Helper()
	var m sip.Message
	if err := m.Parse(got); err != nil || !m.IsResponse() {
		t.Fatalf("the caller got what cannot be read: %v\n%s", err, got)
	}
	// One that he sent malformed comes back so, in a 400.
	if via, err := m.Via(); err == nil && string(via.Host) == "192.0.2.222" {
		t.Fatalf("to\n%s\nthe caller got what is not for him:\n%s", sent, got)
	}
}
