package sip

import "testing"

// R5: what one who passes a message on needs to know of it, and what he need not read.
func TestBounded(t *testing.T) {
	const head = "SIP/2.0 486 Busy\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n"
	for in, want := range map[string]bool{
		head + "l: 1\n\nx":                           true,
		head + "\nno length":                         true,
		head + "Content-Type: a/b\nc: d/e\n\n":       true,
		head + "To: <sip:a@b>\nTo: <sip:c@d>\n\n":    true,
		head + "To: ????\nCSeq: x\nContact: ,,,\n\n": true,
		head + "no colon\n\n":                        true,
		head + "l: 1\nContent-Length: 1\n\nx":        true,
		head + "l: 1\nContent-Length: 0\n\nx":        false,
		head + "l: 2\n\nx":                           false,
		head + "l: x\n\nx":                           false,
		head + "X: y\n":                              false,
		head + "X: y":                                false,
		"SIP/2.0 99 Early\n" + head + "\n":           false,
		"INVITE sip:a@b SIP/2.0\nTo: x\nTo: x\n\n":   true,
		"INVITE sip:a@b SIP/2.0\nl: 1\nl: 2\n\nxy":   false,
	} {
		var m Message
		_ = m.Parse(crlf(in))
		if m.Bounded() != want {
			t.Errorf("%q: %v", in, !want)
		}
	}
	var m Message
	_ = m.Parse([]byte("SIP/2.0 486 Busy\r\nX: a\rP-Asserted-Identity: b\r\n\r\n"))
	if m.Bounded() {
		t.Error("a CR alone may be the end of a line to others")
	}
}

func TestCSeqMethod(t *testing.T) {
	for value, want := range map[string]Method{"1 INVITE": Invite, "99999999999 INVITE": Invite, "x BYE": Bye, "-1\t odd~1": "odd~1",
		"INVITE": "", "1": "", "1 ": "", "": "", "1 <>": "", "1 INVITE,": ""} {
		var m Message
		if err := m.Parse([]byte("SIP/2.0 200 OK\r\nCSeq: " + value + "\r\n\r\n")); err != nil || m.CSeqMethod() != want {
			t.Errorf("%q: %q, %v", value, m.CSeqMethod(), err)
		}
	}
}
