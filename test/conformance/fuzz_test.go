package conformance

import (
	"bytes"
	"io"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// fuzzed is a server on a simulated network that keeps nothing on disk, so that an input costs little, and
// a phone of bob's that talks to it.
func fuzzed(f *testing.F) (*bed.Bed, *Phone) {
	b := bed.Start(f, bed.Options{Network: NewNetwork(), Address: "192.0.2.222", Config: func(c *config.Config) {
		c.Location.Durability = config.DurabilityNone
		c.Auth.NonceLifetime = config.Duration(24 * time.Hour)
	}})
	seed := func(edits ...Edit) {
		p := NewPhone(f, noWire{}, "bob", bed.Domain, bed.Password("bob"))
		p.Start(append([]Edit{Via("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport"), CallID("1"), CSeq(1)}, edits...)...)
		f.Add(p.Sent)
	}
	seed(Contact("<sip:bob@192.0.2.1>"))
	seed(Contact("*"), Expires(0))
	seed(Contact(`"B" <sip:bob@[2001:db8::1]:5061;transport=tcp?a=b>;q=0.5;expires=60`, "mailto:a@b"), Line("Path: <sip:p;lr>", "Require: path"))
	seed(Contact(`<sip:b@h;ob>;+sip.instance="<urn:uuid:1>";reg-id=1`), Line("Supported: outbound, path"))
	seed(Method("OPTIONS"))
	seed(Method("CANCEL"), Body("text/plain", "hello"))
	seed(Line(`Authorization: Digest username="bob", realm="atlanta.example.com", nonce="x", uri="sip:a", response="0", qop=auth, nc=1, cnonce="c"`))
	f.Add([]byte("SIP/2.0 200 OK\r\n\r\n"))
	f.Add([]byte("\r\n\r\n"))
	p := NewPhone(f, OverPacket(b.ListenPacket(f), b.Addr(udp)), "bob", bed.Domain, bed.Password("bob"))
	p.Challenged()
	return b, p
}

// FuzzServer sends bytes as a datagram to a whole server: as they are, and with bob's credentials if they
// are a REGISTER, so that they reach the bindings. What comes back is SIP, matches the request and is no
// 6xx; the next request is answered, and bob's bindings are within the limit.
func FuzzServer(f *testing.F) {
	b, p := fuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p.T = t
		p.Conn.Send(data)
		p.Conn.Send(signed(p, data))
		sentinel(t, p, "the datagram")
		if n := len(p.Query().Expect(200).Contacts()); n > b.Config.Registrar.MaxContacts {
			t.Errorf("%d bindings", n)
		}
	})
}

// FuzzServerStream sends bytes down a connection and ends it: what comes back is SIP, and then the end.
func FuzzServerStream(f *testing.F) {
	b, p := fuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p.T = t
		for _, bytes := range [][]byte{data, signed(p, data)} {
			c, ok := b.Dial(t, tcp).(*Conn)
			if !ok {
				t.Fatal("not a simulated connection")
			}
			c.Write(bytes)
			c.CloseWrite()
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			answers, err := io.ReadAll(c)
			if err != nil && !bed.ErrClosed(err) {
				t.Fatalf("the connection stays open: %v", err)
			}
			wantResponses(t, answers)
			c.Close()
		}
		sentinel(t, p, "the stream")
	})
}

// signed puts bob's credentials into a REGISTER; anything else it returns as it is.
func signed(p *Phone, data []byte) []byte {
	var m sip.Message
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if m.Parse(data); m.Method() != sip.Register || end < 0 {
		return data
	}
	authorization := p.Authorization("REGISTER", "sip:"+bed.Domain)
	return bytes.Join([][]byte{data[:end], []byte("\r\nAuthorization: " + authorization), data[end:]}, nil)
}

// wantResponses fails the test unless the bytes of a stream are responses, none of them a 6xx, and
// keep-alives.
func wantResponses(t *testing.T, all []byte) {
	t.Helper()
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

// noWire takes everything and brings nothing.
type noWire struct{ Wire }

func (noWire) Transport() sip.Transport { return sip.UDP }
func (noWire) Send([]byte) error        { return nil }
