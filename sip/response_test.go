package sip

import (
	"bytes"
	"testing"
)

func TestResponse(t *testing.T) {
	t.Run("HD-001", func(t *testing.T) {
		var m Message
		var r Request
		b := crlf("REGISTER sip:h SIP/2.0\nv: SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1 ,\n SIP/2.0/TCP x\nTo: \"B\" <sip:b@h>\nFrom: <sip:a@h>;tag=1\nVia: SIP / 2.0/UDP y;z\ni: C@x\nCSeq:  1\n REGISTER\n\n")
		if err := m.Parse(b); err != nil {
			t.Fatal(err)
		}
		if err := r.Decode(&m); err != nil {
			t.Fatal(err)
		}
		const vias = "Via: SIP/2.0/UDP 10.0.0.1:5070;rport=5062;branch=z9hG4bK1;received=192.0.2.201, SIP/2.0/TCP x\nVia: SIP / 2.0/UDP y;z\n"
		const rest = "Call-ID: C@x\nCSeq: 1\n REGISTER\n"
		got := AppendEnd(r.AppendResponse(nil, 200, "", []byte("t"), source), nil)
		if want := crlf("SIP/2.0 200 OK\n" + vias + "From: <sip:a@h>;tag=1\nTo: \"B\" <sip:b@h>;tag=t\n" + rest + "Content-Length: 0\n\n"); !bytes.Equal(got, want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if same := AppendEnd(AppendResponse(nil, &m, 200, "", []byte("t"), source), nil); !bytes.Equal(same, got) {
			t.Errorf("by the message:\n%s", same)
		}
		got = AppendEnd(AppendResponse(nil, &m, 100, "Patience", nil, source), []byte("x"))
		if want := crlf("SIP/2.0 100 Patience\n" + vias + "From: <sip:a@h>;tag=1\nTo: \"B\" <sip:b@h>\n" + rest + "Content-Length: 1\n\nx"); !bytes.Equal(got, want) {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
	t.Run("HD-002", func(t *testing.T) {
		m := parsed(t, "Via: SIP/2.0/UDP 192.0.2.201\nTo: <sip:b@h>;tag=old\n")
		var r Request
		r.Decode(m)
		for _, got := range [][]byte{AppendResponse(nil, m, 481, "", []byte("new"), source), r.AppendResponse(nil, 481, "", []byte("new"), source)} {
			if !bytes.HasSuffix(got, crlf("To: <sip:b@h>;tag=old\n")) {
				t.Errorf("%s", got)
			}
		}
	})
	t.Run("malformed Via", func(t *testing.T) {
		m := parsed(t, "Via: SIP/2.0/UDP h;;,;,,\nCSeq: 1 REGISTER\n")
		var r Request
		r.Decode(m)
		want := crlf("SIP/2.0 400 Bad Request\nVia: SIP/2.0/UDP h;;,;,,\nCSeq: 1 REGISTER\n")
		for _, got := range [][]byte{AppendResponse(nil, m, 400, "", nil, source), r.AppendResponse(nil, 400, "", nil, source)} {
			if !bytes.Equal(got, want) {
				t.Errorf("%s", got)
			}
		}
	})
}

// FuzzRefusal refuses whatever can be answered, however malformed: no line of the answer is one that only
// the request put there.
func FuzzRefusal(f *testing.F) {
	corpus(f, func(b []byte) { f.Add(b) })
	f.Add(crlf("OPTIONS sip:h SIP/2.0\n" + least + "X: y\r\rz\n\n"))
	f.Add([]byte("OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: a\n b\rc\r\nCSeq: 1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Message
		var r Request
		parsed := m.Parse(b)
		decoded := r.Decode(&m)
		if !m.Answerable() {
			if parsed == nil && decoded == nil && m.IsRequest() && m.Method() != Ack {
				t.Fatalf("%q cannot be answered", b)
			}
			return
		}
		out := AppendEnd(r.AppendResponse(nil, 400, "", []byte("t"), source), nil)
		lines := 1
		for _, h := range []Header{HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq} {
			if m.Has(h) {
				lines++
			}
		}
		for i := m.Index(HeaderVia); i >= 0; i = m.Next(i) {
			lines++
		}
		if err := again.Parse(out); lines <= MaxFields && (err != nil || again.Len() != lines) {
			t.Fatalf("%q is refused by %q, which has %d header fields, not %d: %v", b, out, again.Len(), lines, err)
		}
	})
}

// FuzzResponse answers whatever can be answered: the answer must parse, and mirror the request.
func FuzzResponse(f *testing.F) {
	corpus(f, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Message
		var r Request
		if m.Parse(b) != nil {
			return
		}
		if err := r.Decode(&m); err != nil {
			return
		}
		out := AppendEnd(r.AppendResponse(nil, 200, "", []byte("t"), source), nil)
		if same := AppendEnd(AppendResponse(nil, &m, 200, "", []byte("t"), source), nil); !bytes.Equal(out, same) {
			t.Fatalf("%q and %q", out, same)
		}
		if err := again.Parse(out); err != nil || again.StatusCode() != 200 {
			t.Fatalf("%q is answered by %q: %v", b, out, err)
		}
		from, err := again.From()
		if err != nil || !bytes.Equal(from.Raw(), r.From.Raw()) || !bytes.Equal(again.CallID(), m.CallID()) {
			t.Fatalf("%q is answered by %q: %v", b, out, err)
		}
		if to, err := again.To(); err != nil || !to.URI.Equal(r.To.URI) || len(to.Tag()) == 0 {
			t.Fatalf("%q is answered by %q: %v", b, out, err)
		}
		if cseq, err := again.CSeq(); err != nil || cseq != r.CSeq {
			t.Fatalf("%q is answered by %q: %v", b, out, err)
		}
		asked, answered := m.Vias(), again.Vias()
		for asked.Next() {
			if !answered.Next() || !bytes.Equal(asked.Host, answered.Host) || !bytes.Equal(asked.Branch(), answered.Branch()) {
				t.Fatalf("%q is answered by %q: the Vias differ (%v)", b, out, answered.Err())
			}
		}
		if asked.Err() == nil && answered.Next() {
			t.Fatalf("%q is answered by %q with more Vias", b, out)
		}
	})
}

func TestAppendField(t *testing.T) {
	got := AppendField(nil, HeaderCallID, []byte("a@b"))
	got = AppendFieldString(got, HeaderServer, "biloxi")
	got = AppendFieldUint(got, HeaderMinExpires, 60)
	if want := crlf("Call-ID: a@b\nServer: biloxi\nMin-Expires: 60\n"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
