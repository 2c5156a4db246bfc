package sip

import (
	"bytes"
	"testing"
)

// FuzzCopyTo: a copy reads as what it was copied from, and does not change with it.
func FuzzCopyTo(f *testing.F) {
	f.Add([]byte("\r\nINVITE sip:bob@biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n" +
		"To: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 4\r\n\r\nbody and more"))
	f.Add([]byte("SIP/2.0 200 Fine\r\nVia: SIP/2.0/UDP h\r\nCSeq: 1 NEW\r\n\r\n"))
	var copied Message
	var buf []byte
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if m.Parse(b) != nil {
			return
		}
		buf = m.CopyTo(&copied, buf)
		want := m.Append(nil)
		offsets := []int{}
		for i := range m.Len() {
			_, _, v := m.Field(i)
			offsets = append(offsets, m.Offset(v))
		}
		clear(b)
		if got := copied.Append(nil); !bytes.Equal(got, want) {
			t.Fatalf("%q became %q", want, got)
		}
		for i := range copied.Len() {
			if _, _, v := copied.Field(i); copied.Offset(v) != offsets[i] {
				t.Fatalf("field %d is at %d and not %d", i, copied.Offset(v), offsets[i])
			}
		}
		if copied.IsRequest() && copied.Offset(copied.RequestURI()) != len(copied.Method())+1 {
			t.Fatalf("the Request-URI is at %d", copied.Offset(copied.RequestURI()))
		}
	})
}
