package sip

import (
	"strings"
	"testing"
)

// TestRequestError gives where a header field is wrong by a bar, which is not part of the message.
func TestRequestError(t *testing.T) {
	for _, row := range []struct {
		name, in string
		header   Header
	}{
		{"", "OPTIONS |x SIP/2.0\n" + least, HeaderNone},
		{"", "OPTIONS sip:h|?a=b SIP/2.0\n" + least, HeaderNone},
		{"", "OPTIONS sip:a@h:|x SIP/2.0\n" + least, HeaderNone},
		{"HD-011", "REGISTER sip:h SIP/2.0\n" + strings.Replace(least, "1 OPTIONS", "|1 OPTIONS", 1), HeaderCSeq},
		{"HD-011", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "1 OPTIONS", "|2147483648 OPTIONS", 1), HeaderCSeq},
		{"HD-011", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "1 OPTIONS", "|1 options", 1), HeaderCSeq},
		{"HD-012", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, ";branch", ";|=;branch", 1), HeaderVia},
		{"", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "<sip:a@h>", "<sip:a@h|>>", 1), HeaderFrom},
		{"", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "<sip:b@h>", "|\"b <sip:b@h>", 1), HeaderTo},
		{"", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "<sip:b@h>", "<sip:b@h>, |<sip:c@h>", 1), HeaderTo},
		{"", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "Call-ID: c", "Call-ID: c|\x00", 1), HeaderCallID},
		{"", "OPTIONS sip:h SIP/2.0\n" + strings.Replace(least, "Call-ID: c", "Call-ID:|", 1), HeaderCallID},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after, _ := strings.Cut(row.in, "|")
			var m Message
			var r Request
			if err := m.Parse(crlf("\n" + before + after + "\n")); err != nil && !strings.Contains(row.in, "@h>>") {
				t.Fatal(err)
			}
			err := r.Decode(&m)
			if strings.Contains(row.in, "@h|>>") {
				before += ">"
			}
			if offset(err) != len(crlf(before)) || err.(*SyntaxError).Header != row.header {
				t.Errorf("%q: %v, want offset %d", row.in, err, len(crlf(before)))
			}
			if !m.Answerable() {
				t.Errorf("%q cannot be answered", row.in)
			}
		})
	}
	for _, h := range []Header{HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq} {
		var lines []string
		for line := range strings.Lines(least) {
			if HeaderOf([]byte(line[:strings.IndexByte(line, ':')])) != h {
				lines = append(lines, line)
			}
		}
		var m Message
		var r Request
		if err := m.Parse(crlf("OPTIONS sip:h SIP/2.0\n" + strings.Join(lines, "") + "\n")); err != nil {
			t.Fatal(err)
		}
		if err := r.Decode(&m); err == nil || err.Error() != h.String()+": missing" {
			t.Errorf("without %v: %v", h, err)
		}
		if m.Answerable() != (h != HeaderVia && h != HeaderCSeq) {
			t.Errorf("without %v, answerable is %v", h, m.Answerable())
		}
	}
	var m Message
	m.Parse(crlf("ACK sip:h SIP/2.0\n" + least + "\n"))
	if m.Answerable() {
		t.Error("an ACK is answered")
	}
}
