package registrar

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/sip"
)

// FuzzContact sends a REGISTER with any bytes for a Contact and any further header lines to an AOR that has a
// binding. No answer may be other than send checks; a binding that was made must say again what it said, when
// the 200's Contacts are registered elsewhere; and a retransmission gets the same bytes.
func FuzzContact(f *testing.F) {
	for _, seed := range [][2]string{
		{"<sip:bob@192.0.2.201>", ""},
		{"*", "Expires: 0\r\n"},
		{"*, <sip:bob@192.0.2.201>", "Expires: 0\r\n"},
		{"\"Bob\" <sip:bob@192.0.2.201;transport=tcp?a=b>;q=0.7;expires=60;+sip.x=\"<y>\"", "Expires: abc\r\n"},
		{"sip:bob@h;expires=4294967296, mailto:bob@biloxi.example.com, <tel:+1>;expires=0", ""},
		{"<sip:bob@h>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"", "Supported: outbound, path\r\nPath: <sip:e;lr;ob>\r\n"},
		{"<sips:bob@h>\r\n ;a=\"x\r\n y\"", "Require: foo\r\nUser-Agent: x\r\n y\r\n"},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, contact, more []byte) {
		d := newDesk(t, Config{MinExpires: time.Minute, PathWithoutSupport: PathAccept, Jitter: 0.1})
		d.send(d.request([]string{"Call-ID: other", "CSeq: 1 REGISTER", "Contact: <sip:bob@192.0.2.201>"}))
		text := []byte("REGISTER sips:biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKf\r\n" +
			"From: <sip:bob@h>;tag=1\r\nTo: <sip:bob@h>\r\nCall-ID: one\r\nCSeq: 2 REGISTER\r\n")
		text = append(append(append(text, "Contact: "...), contact...), "\r\n"...)
		text = append(append(text, more...), "\r\n"...)
		var m sip.Message
		var req sip.Request
		if m.Parse(text) != nil || req.Decode(&m) != nil {
			return
		}
		d.send(text)
		first := string(d.reg.Response)
		changed := !bytes.Equal(d.record, d.sent[1].before)
		checkRecord(t, d.decode())
		if changed {
			if !bytes.Equal(d.fresh(first), []byte(first)) {
				t.Fatalf("registered again from its own answer\n%s\nthe AOR says\n%s", first, d.reg.Response)
			}
			d.now = d.now.Add(time.Second)
		}
		record := d.expired()
		d.send(text)
		if string(d.reg.Response) != first || !bytes.Equal(record, d.record) {
			t.Fatalf("got\n%s\nand before\n%s", d.reg.Response, first)
		}
	})
}

// fresh registers the Contacts of a response with an AOR that has none, and returns that response again with
// what the new one says of them.
func (d *desk) fresh(response string) []byte {
	d.t.Helper()
	var m sip.Message
	if err := m.Parse([]byte(response)); err != nil {
		d.t.Fatal(err)
	}
	// Both a URI and its secured sibling may be bound, but not by one request; so each gets its own.
	other := newDesk(d.t, Config{})
	for i := m.Index(sip.HeaderContact); i >= 0; i = m.Next(i) {
		line := string(bytes.TrimSpace(m.Line(i)))
		other.send(other.request([]string{"REGISTER sips:biloxi.example.com SIP/2.0", line}))
		if other.reg.Status != 200 {
			d.t.Fatalf("%s is answered\n%s", line, other.reg.Response)
		}
	}
	if len(other.sent) == 0 {
		return []byte(response)
	}
	if err := m.Parse(other.reg.Response); err != nil {
		d.t.Fatal(err)
	}
	text := ""
	for i := m.Index(sip.HeaderContact); i >= 0; i = m.Next(i) {
		text += string(m.Line(i))
	}
	start, end := strings.Index(response, "Contact: "), strings.LastIndex(response, "Content-Length: ")
	return []byte(response[:start] + text + response[end:])
}

// checkRecord checks that what is stored is on one line and within its limits.
func checkRecord(t fataler, rec *location.Record) {
	t.Helper()
	for _, b := range rec.Bindings {
		for _, v := range [][]byte{b.Contact, b.Params, b.Path, b.Instance, b.UserAgent} {
			if bytes.ContainsAny(v, "\r\n") {
				t.Fatalf("%q is more than a line", v)
			}
		}
		if len(b.Contact) > maxContactURI || len(b.Params) > maxContactParams || len(b.Path) > maxPath ||
			len(b.UserAgent) > maxUserAgent {
			t.Fatalf("%+v is over a limit", b)
		}
	}
}
