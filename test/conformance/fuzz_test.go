package conformance

import (
	"bytes"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// FuzzServer feeds bytes to a whole server over a simulated network: as a datagram, and on a stream. What
// comes back is SIP and no 6xx, and the next request is answered.
func FuzzServer(f *testing.F) {
	b := bed.Start(f, bed.Options{Network: NewNetwork(), Address: "192.0.2.222"})
	at := "192.0.2.1:5060"
	seed := func(edits ...Edit) {
		p := NewPhone(f, &seedWire{}, "bob", bed.Domain, bed.Password("bob"))
		p.Start(append([]Edit{Via("SIP/2.0/UDP " + at + ";branch=z9hG4bK1;rport"), CallID("1"), CSeq(1)}, edits...)...)
		f.Add(p.Sent)
	}
	seed(Contact("<sip:bob@192.0.2.1>"))
	seed(Contact("*"), Expires(0))
	seed(Contact(`"B" <sips:bob@[2001:db8::1]:5061;transport=tcp?a=b>;q=0.5;expires=60`, "mailto:a@b"), Line("Path: <sip:p;lr>", "Require: path"))
	seed(Method("OPTIONS"))
	seed(Method("CANCEL"), Body("text/plain", "hello"))
	seed(Line(`Authorization: Digest username="bob", realm="atlanta.example.com", nonce="x", uri="sip:a", response="0", qop=auth, nc=1, cnonce="c"`))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := bobsPhone(t, b)
		defer p.Conn.Close()
		p.Conn.Send(data)
		sentinel(t, p, "the datagram")
		stream := NewPhone(t, OverStream(tcp, b.Dial(t, tcp)), "bob", bed.Domain, bed.Password("bob"))
		defer stream.Conn.Close()
		if err := stream.Conn.Send(data); err != nil {
			t.Fatal(err)
		}
		answered(t, stream)
	})
}

// bobsPhone is a phone of bob's, since a fuzz run has more phones than there are users.
func bobsPhone(t *testing.T, b *bed.Bed) *Phone {
	return NewPhone(t, OverPacket(b.ListenPacket(t), b.Addr(udp)), "bob", bed.Domain, bed.Password("bob"))
}

// answered reads what a stream brings until the server has seen all of it: the connection is closed, or
// an OPTIONS behind the bytes is answered or swallowed by a message that is still to end.
func answered(t *testing.T, p *Phone) {
	p.Conn.Send([]byte("\r\n\r\n"))
	var all []byte
	for range 3 {
		b, err := ReceiveBytes(p.Conn, 20*time.Millisecond)
		all = append(all, b...)
		if err != nil {
			break
		}
	}
	for len(bytes.TrimLeft(all, "\r\n")) > 0 {
		skip, length, _, err := sip.Frame(all, sip.MaxHead, sip.MaxBody)
		if err != nil || length == 0 {
			t.Fatalf("the stream brings %q: %v", all, err)
		}
		var m sip.Message
		if err := m.Parse(all[skip : skip+length]); err != nil || !m.IsResponse() || m.StatusCode() >= 600 {
			t.Fatalf("the stream brings\n%s: %v", all, err)
		}
		all = all[skip+length:]
	}
}

// seedWire is no wire at all.
type seedWire struct{ Wire }

func (seedWire) Transport() sip.Transport { return sip.UDP }
func (seedWire) Send([]byte) error        { return nil }
