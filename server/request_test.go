package server

import (
	"bytes"
	"testing"

	"biloxi/sip"
)

// TestRequestOutlivesReader: whatever is neither REGISTER nor a response does not refer to the memory that it was read
// into, and what is read next does not change it.
func TestRequestOutlivesReader(t *testing.T) {
	for _, method := range []string{"MESSAGE", "ACK", "REGISTERED", "REGISTE", "register", "SIP", "\r\n\r\nREFER"} {
		var r request
		memory := []byte(method + " sip:bob@biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" +
			"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 " + string(bytes.TrimSpace([]byte(method))) + "\r\n\r\n")
		want := string(bytes.TrimLeft(memory, "\r\n"))
		if err := r.parse(memory); err != nil {
			t.Fatal(err)
		}
		if err := r.req.Decode(&r.msg); err != nil {
			t.Fatal(err)
		}
		clear(memory)
		if got := string(r.msg.Bytes()); got != want || r.msg.Method() == sip.Register || string(r.req.From.Tag()) != "1" {
			t.Errorf("%q became %q", want, got)
		}
	}
}
