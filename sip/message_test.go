package sip

import (
	"bytes"
	"strings"
	"testing"
)

// least is what every request here has besides what a test adds.
const least = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: c\nCSeq: 1 OPTIONS\n"

func TestMessage(t *testing.T) {
	var m Message
	if err := m.Parse(register); err != nil {
		t.Fatal(err)
	}
	if !m.IsRequest() || m.IsResponse() || m.Method() != Register || string(m.RequestURI()) != "sips:ss2.biloxi.example.com" || m.StatusCode() != 0 {
		t.Error("the request-line is misread")
	}
	if m.Len() != 11 || string(m.Line(0)) != "Via: SIP/2.0/UDP 192.0.2.201:5060;branch=z9hG4bKnashd92;rport\r\n" {
		t.Errorf("%d header fields, the first %q", m.Len(), m.Line(0))
	}
	h, name, value := m.Field(10)
	if h != HeaderContentLength || string(name) != "Content-Length" || string(value) != "0" {
		t.Errorf("the last header field is %v %q %q", h, name, value)
	}
	if via, err := m.Via(); err != nil || string(via.Branch()) != "z9hG4bKnashd92" {
		t.Errorf("the Via is %+v, %v", via, err)
	}
	if _, ok := m.Named("X-None"); ok {
		t.Error("a header field is there that is not")
	}
	if !m.Has(HeaderExpires) || m.Has(HeaderRoute) || m.Index(HeaderRoute) != -1 {
		t.Error("a header field is there that is not, or the other way round")
	}
	if err := m.Parse(ok200); err != nil || !m.IsResponse() || m.IsRequest() || m.StatusCode() != 200 || string(m.Reason()) != "OK" || m.Method() != "" {
		t.Errorf("the status-line is misread: %v", err)
	}
	if m.Has(HeaderExpires) {
		t.Error("something is left of the message before")
	}
}

func TestMessageHeaders(t *testing.T) {
	t.Run("TP-028", func(t *testing.T) {
		var m Message
		b := crlf("OPTIONS sip:h SIP/2.0\nv: SIP/2.0/UDP h\nf:<sip:a@h>\n ;tag=1\nT  :\t<sip:b@h>\ni: c\ncSEQ:1\n OPTIONS\nX-One:  a \n  b  \nx-ONE: c\nk:\nl:0\n\n")
		if err := m.Parse(b); err != nil {
			t.Fatal(err)
		}
		var r Request
		if err := r.Decode(&m); err != nil {
			t.Fatal(err)
		}
		want(t, "the From tag", r.From.Tag(), "1")
		want(t, "the Call-ID", m.CallID(), "c")
		one, ok := m.Named("X-One")
		if want(t, "the unknown header field", one, "a \r\n  b"); !ok {
			t.Error("it is not there")
		}
		if v, ok := m.Value(HeaderSupported); !ok || len(v) != 0 {
			t.Errorf("the empty Supported is %q, %v", v, ok)
		}
		// Unknown header fields stay as they are, and in order.
		var lines []string
		for i := m.Index(HeaderOther); i >= 0; i = m.Next(i) {
			lines = append(lines, string(m.Line(i)))
		}
		if s := strings.Join(lines, "|"); s != "X-One:  a \r\n  b  \r\n|x-ONE: c\r\n" {
			t.Errorf("%q", s)
		}
	})
}

func TestMessageBody(t *testing.T) {
	var m Message
	head := "OPTIONS sip:h SIP/2.0\n" + least
	t.Run("TP-021", func(t *testing.T) {
		if err := m.Parse(crlf(head + "Content-Length: 3\n\nabcdef")); err != nil || string(m.Body()) != "abc" {
			t.Errorf("%q, %v", m.Body(), err)
		}
		if !bytes.HasSuffix(m.Bytes(), []byte("\r\n\r\nabc")) {
			t.Errorf("the message goes on to %q", m.Bytes())
		}
	})
	t.Run("TP-022", func(t *testing.T) {
		for _, n := range []string{"4", "999", "99999999999999999999999"} {
			err := m.Parse(crlf(head + "Content-Length: " + n + "\n\nabc"))
			if err == nil || !strings.HasPrefix(err.Error(), "Content-Length: ") || !m.Answerable() {
				t.Errorf("%s: %v", n, err)
			}
		}
	})
	t.Run("TP-023", func(t *testing.T) {
		if err := m.Parse(crlf("SIP/2.0 200 OK\n" + least + "Content-Length: 9\n\nabc")); err == nil || m.Answerable() {
			t.Errorf("a truncated response: %v", err)
		}
	})
	t.Run("TP-024", func(t *testing.T) {
		if err := m.Parse(crlf(head + "\nabc\n\n")); err != nil || string(m.Body()) != "abc\r\n\r\n" {
			t.Errorf("%q, %v", m.Body(), err)
		}
	})
	t.Run("TP-027", func(t *testing.T) {
		if err := m.Parse(crlf("\n\n" + head + "\n")); err != nil || m.Method() != Options {
			t.Errorf("%v", err)
		}
	})
	t.Run("large", func(t *testing.T) {
		body := strings.Repeat("x", 100_000)
		if err := m.Parse(crlf(head + "Content-Length: 100000\n\n" + body)); err != nil || len(m.Body()) != len(body) {
			t.Errorf("%d bytes, %v", len(m.Body()), err)
		}
	})
}

// TestMessageError gives where a message is wrong by a bar, which is not part of it.
func TestMessageError(t *testing.T) {
	head := "OPTIONS sip:h SIP/2.0\n"
	for _, row := range []struct {
		name       string
		in         string
		header     Header
		answerable bool
	}{
		{"TP-038", "|", HeaderNone, false},
		{"TP-038", "|garbage", HeaderNone, false},
		{"TP-038", "|\x00\x01\x00\x08\x21\x12\xa4\x42", HeaderNone, false},
		{"", "|OPTIONS sip:h SIP/2.0", HeaderNone, false},
		{"", "OPTIONS | SIP/2.0\n\n", HeaderNone, false},
		{"", "OPTIONS| sip:h\n\n", HeaderNone, false},
		{"", "|(x) sip:h SIP/2.0\n\n", HeaderNone, false},
		{"", "OPTIONS sip:h |SIP/2\n" + least + "\n", HeaderNone, true},
		{"", "OPTIONS sip:h |HTTP/1.1\n" + least + "\n", HeaderNone, true},
		{"", "OPTIONS |<sip:h> SIP/2.0\n" + least + "\n", HeaderNone, true},
		{"", "OPTIONS sip:h|\tx SIP/2.0\n" + least + "\n", HeaderNone, true},
		{"", "SIP/2.0 |99 x\n\n", HeaderNone, false},
		{"", "SIP/2.0 |700 x\n\n", HeaderNone, false},
		{"", "SIP/2.0 |2000 x\n\n", HeaderNone, false},
		{"", "|SIP/2 200 x\n\n", HeaderNone, false},
		{"", head + least + "|", HeaderNone, true},
		{"", head + least + "|X: y", HeaderNone, true},
		{"", head + least + "|no colon\n but a fold\n\n", HeaderNone, true},
		{"", head + least + "|no\x00 colon\n\n", HeaderNone, true},
		{"", head + "| " + least + "\n", HeaderNone, false},
		{"", head + least + "|X\n : y\n\n", HeaderNone, true},
		{"", head + least + "X: y|\r\rz\n\n", HeaderNone, false},
		{"", head + least + "X: y|\r z\n\n", HeaderNone, false},
		{"", head + least + "|X: y\r\rz", HeaderNone, true},
		{"", head + least + "X: y\rz\n|Y", HeaderNone, false},
		{"", head + least + "X: y\rz\n" + strings.Repeat("X: y\n", MaxFields-6) + "|X: y\n\n", HeaderNone, false},
		{"TP-022", head + least + "l: |x\n\n", HeaderContentLength, true},
		{"TP-022", head + least + "Content-Length:|\n\n", HeaderContentLength, true},
		{"HD-016", head + least + "|f: <sip:x@h>\n\n", HeaderFrom, true},
		{"HD-016", head + least + "|To: <sip:x@h>\n\n", HeaderTo, true},
		{"HD-016", head + least + "|Call-ID: x\n\n", HeaderCallID, true},
		{"HD-016", head + least + "|CSeq: 2 OPTIONS\n\n", HeaderCSeq, true},
		{"HD-016", head + least + "Max-Forwards: 1\n|Max-Forwards: 1\n\n", HeaderMaxForwards, true},
		{"", head + least + "Content-Length: 0\n|l: 1\n\nx", HeaderContentLength, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after, _ := strings.Cut(row.in, "|")
			at := len(crlf(before))
			var m Message
			err := m.Parse(crlf(before + after))
			if offset(err) != at || err.(*SyntaxError).Header != row.header {
				t.Fatalf("%q: %v, want offset %d", row.in, err, at)
			}
			if m.Answerable() != row.answerable {
				t.Errorf("%q: answerable is %v", row.in, m.Answerable())
			}
		})
	}
	var m Message
	err := m.Parse(crlf(head + strings.Repeat("X: y\n", MaxFields+1) + "\n"))
	if err == nil || !err.(*SyntaxError).TooLarge {
		t.Errorf("%d header fields: %v", MaxFields+1, err)
	}
	if err := m.Parse(crlf(head + strings.Repeat("X: y\n", MaxFields) + "\n")); err != nil {
		t.Errorf("%d header fields: %v", MaxFields, err)
	}
}

func TestVersion(t *testing.T) {
	t.Run("HD-010", func(t *testing.T) {
		for version, is20 := range map[string]bool{"SIP/2.0": true, "sip/2.0": true, "SIP/7.0": false, "SIP/1.0": false, "SIP/2.00": false, "SIP/02.0": false} {
			var m Message
			var r Request
			if err := m.Parse(crlf("OPTIONS sip:h " + version + "\n" + least + "\n")); err != nil {
				t.Fatal(err)
			}
			if err := r.Decode(&m); err != nil || m.Version20() != is20 || !m.Answerable() {
				t.Errorf("%s: 2.0 is %v, %v", version, m.Version20(), err)
			}
		}
	})
}

func TestMessageAppend(t *testing.T) {
	var m Message
	if err := m.Parse(crlf("OPTIONS sip:h SIP/2.0\nv :SIP/2.0/UDP h\nX-a:  b\n c \nk:\n\nbody")); err != nil {
		t.Fatal(err)
	}
	if got, want := string(m.Append(nil)), string(crlf("OPTIONS sip:h SIP/2.0\nv: SIP/2.0/UDP h\nX-a: b\n c\nk: \nContent-Length: 4\n\nbody")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzMessage(f *testing.F) {
	corpus(f, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Message
		var r Request
		err := m.Parse(b)
		if at := offset(err); at > len(m.buf) {
			t.Fatalf("%q: offset %d", b, at)
		}
		decoded := r.Decode(&m)
		if at := offset(decoded); at > len(m.buf) {
			t.Fatalf("%q: offset %d", b, at)
		}
		if err != nil {
			return
		}
		out := m.Append(nil)
		if err := again.Parse(out); err != nil {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
		if m.IsRequest() != again.IsRequest() || m.Method() != again.Method() || !bytes.Equal(m.RequestURI(), again.RequestURI()) ||
			m.StatusCode() != again.StatusCode() || !bytes.Equal(m.Reason(), again.Reason()) || !bytes.Equal(m.Body(), again.Body()) {
			t.Fatalf("%q was appended as %q", b, out)
		}
		for i := range m.Len() {
			h, name, value := m.Field(i)
			h2, name2, value2 := again.Field(i)
			if h != h2 || !bytes.Equal(name, name2) || !bytes.Equal(value, value2) || m.Next(i) != again.Next(i) {
				t.Fatalf("%q was appended as %q: header field %d", b, out, i)
			}
		}
		if third := again.Append(nil); !bytes.Equal(third, out) {
			t.Fatalf("%q was appended as %q, then as %q", b, out, third)
		}
		if err := (&Request{}).Decode(&again); m.IsRequest() && (err == nil) != (decoded == nil) {
			t.Fatalf("%q was decoded with %v, then with %v", b, decoded, err)
		}
	})
}

// TestOffset: what the message and its decoders give out is found again in the message's bytes.
func TestOffset(t *testing.T) {
	var m Message
	if err := m.Parse(append([]byte("\r\n"), invite...)); err != nil {
		t.Fatal(err)
	}
	check := func(what string, v []byte) {
		t.Helper()
		if at := m.Offset(v); at < 0 || at+len(v) > len(m.Bytes()) || &m.Bytes()[at] != &v[0] {
			t.Errorf("%s: offset %d", what, at)
		}
	}
	check("Request-URI", m.RequestURI())
	check("body", m.Body())
	for i := range m.Len() {
		check("line", m.Line(i))
		_, _, value := m.Field(i)
		check("value", value)
	}
	for l := m.Vias(); l.Next(); {
		check("Via", l.Raw())
	}
	for l := m.Values(HeaderRecordRoute); l.Next(); {
		check("Record-Route", l.Raw())
		check("URI", l.URI.Raw())
	}
	value, _ := m.Value(HeaderRecordRoute)
	_, rest, _ := NextNameAddr(value)
	check("rest", rest)
}
