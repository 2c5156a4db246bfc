package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// canned is a connection whose other end says what a fuzzer thought of, and then nothing more. In the text
// VIA, CALLID, CSEQ, FROM and TO stand for those of the request, so that it can be an answer.
type canned struct {
	text     []byte
	datagram bool
	out      []byte
	sent     int
}

func (c *canned) Write(b []byte) (int, error) {
	c.sent++
	r := &seenRequest{raw: string(b)}
	c.out = bytes.Clone(c.text)
	for name, field := range map[string]string{"VIA": "Via", "CALLID": "Call-ID", "CSEQ": "CSeq", "FROM": "From", "TO": "To"} {
		c.out = bytes.ReplaceAll(c.out, []byte(name), []byte(r.field(field)))
	}
	return len(b), nil
}

func (c *canned) Read(b []byte) (int, error) {
	n := copy(b, c.out)
	c.out = c.out[n:]
	if c.datagram {
		c.out = nil
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (c *canned) Close() error                     { return nil }
func (c *canned) SetDeadline(time.Time) error      { return nil }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }
func (c *canned) RemoteAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:5060"))
}
func (c *canned) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.2:5060"))
}

const fuzzHead = "\r\nVia: VIA\r\nFrom: FROM\r\nTo: TO;tag=1\r\nCall-ID: CALLID\r\nCSeq: CSEQ\r\n"

// Whatever answers, the client ends, has sent no more than it may, and reports what the answer says.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"SIP/2.0 200 OK" + fuzzHead + "Contact: <sip:bob@192.0.2.4>;q=0.5;expires=60, <mailto:x@y>;expires=4294967295\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 401 Unauthorized" + fuzzHead + challengeMD5 + "\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 407 X" + fuzzHead + "Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\", stale=true\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 423 Interval Too Brief" + fuzzHead + "Min-Expires: 99999999999\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 503 X" + fuzzHead + "Retry-After: 18 (x);duration=1\r\nContent-Length: 0\r\n\r\n",
		"SIP/2.0 100 Trying" + fuzzHead + "Content-Length: 0\r\n\r\nSIP/2.0 302 Moved" + fuzzHead + "Contact: *\r\nContent-Length: 1\r\n\r\nx",
		"REGISTER sip:x SIP/2.0" + fuzzHead + "Content-Length: 0\r\n\r\n",
		"\r\n\r\n\x00",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, datagram bool) {
		conns := 0
		var all []*canned
		server := "sip:192.0.2.1;transport=tcp"
		if datagram {
			server = "sip:192.0.2.1;transport=udp"
		}
		var l Ladder
		c, err := New(Config{AOR: "sip:bob@biloxi.example.com", Server: server, Password: []byte("zanzibar"),
			Trace: func(m Traced) { l.Add("Bob", "SIP Server", "", bytes.Clone(m.Bytes)) },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				conns++
				all = append(all, &canned{text: text, datagram: datagram})
				return all[len(all)-1], nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		res, err := c.Register(t.Context(), Registration{Contacts: bobsContact.Contacts, Expires: time.Minute, HasExpires: true})
		sent := 0
		for _, cn := range all {
			sent += cn.sent
		}
		if sent > 2*maxRequests || conns > 2*maxRequests {
			t.Fatalf("%d requests over %d connections", sent, conns)
		}
		if drawn := string(l.Append(nil)); strings.Contains(drawn, "zanzibar") && !bytes.Contains(text, []byte("zanzibar")) {
			t.Error("the password is in the trace")
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a timeout in no time: %v", err)
			}
			return
		}
		// The oracle: the answer, parsed anew, is one to our request and says what the result says.
		var m sip.Message
		if err := m.Parse(res.Message); err != nil {
			t.Fatalf("the answer %q cannot be parsed: %v", res.Message, err)
		}
		if m.StatusCode() != res.Status || res.Status < 200 || string(m.CallID()) != c.callID {
			t.Errorf("%+v for %q", res, res.Message)
		}
		if res.OK() {
			n := 0
			for values := m.Values(sip.HeaderContact); values.Next(); n++ {
				if got := res.Contacts[n]; got.URI != string(values.URI.Raw()) || got.Expires < 0 || got.Q > 1000 {
					t.Errorf("contact %+v of %s", got, values.Raw())
				}
			}
			if n != len(res.Contacts) {
				t.Errorf("%d contacts of %d", len(res.Contacts), n)
			}
		}
	})
}

// What a person writes as a contact is refused or is one value of a Contact header field on one line.
func FuzzContact(f *testing.F) {
	for _, seed := range []string{"sip:bob@192.0.2.4", `"Bob" <sip:bob@192.0.2.4>;expires=60;q=0.7;a="x,y"`, "mailto:a@b", "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseContact(text)
		if err != nil {
			return
		}
		b := c.Append(nil)
		n, err := sip.ParseNameAddr(b)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, b, err)
		}
		if again, err := contactOf(n); err != nil || again != c || bytes.ContainsAny(b, "\r\n") {
			t.Errorf("%q became %q, which is %+v and not %+v (%v)", text, b, again, c, err)
		}
	})
}
