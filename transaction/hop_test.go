package transaction

import (
	"bytes"
	"testing"
)

// TestAppendAck: RFC 3261 §17.1.1.3 (TX-023, TX-024).
func TestAppendAck(t *testing.T) {
	invite := requestText("INVITE", "z9hG4bK74bf9")
	response := responseTo(t, invite, 486, "8321234356")
	want := crlf(`ACK sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9
Max-Forwards: 70
Route: <sip:ss1.example.com;lr>, <sip:ss2.example.com;lr>
Route: <sip:ss3.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>;tag=8321234356
Call-ID: 3848276298220188511@atlanta.example.com
CSeq: 17 ACK
Content-Length: 0

`)
	if got := AppendAck(nil, parse(t, invite), parse(t, response)); !bytes.Equal(got, want) {
		t.Errorf("made:\n%s\nwanted:\n%s", got, want)
	}
}

// TestAppendCancel: RFC 3261 §9.1. The To is the request's, and neither Require nor Proxy-Require is there.
func TestAppendCancel(t *testing.T) {
	want := crlf(`CANCEL sip:bob@biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP client.atlanta.example.com:5060;branch=z9hG4bK74bf9
Max-Forwards: 70
Route: <sip:ss1.example.com;lr>, <sip:ss2.example.com;lr>
Route: <sip:ss3.example.com;lr>
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
To: Bob <sip:bob@biloxi.example.com>
Call-ID: 3848276298220188511@atlanta.example.com
CSeq: 17 CANCEL
Content-Length: 0

`)
	if got := AppendCancel(nil, parse(t, requestText("INVITE", "z9hG4bK74bf9"))); !bytes.Equal(got, want) {
		t.Errorf("made:\n%s\nwanted:\n%s", got, want)
	}
}

// Two branches of a fork downstream may refuse with a tag each: each response gets its own ACK, made of what is kept
// of the INVITE after a 180 and over a reliable transport too.
func TestAckOfEachResponse(t *testing.T) {
	invite := requestText("INVITE", "z9hG4bK74bf9")
	w := newWorld(t, Config{})
	if _, err := w.layer.NewClient(w.now, invite, udp, remote, nil); err != nil {
		t.Fatal(err)
	}
	w.receive(responseTo(t, invite, 180, "a"))
	for _, tag := range []string{"a", "b"} {
		response := responseTo(t, invite, 486, tag)
		w.receive(response)
		if want := AppendAck(nil, parse(t, invite), parse(t, response)); !bytes.Equal(w.last, want) {
			t.Errorf("sent:\n%s\nwanted:\n%s", w.last, want)
		}
	}
	w.want("send INVITE", "tell 180", "send ACK", "tell 486", "send ACK")
}
