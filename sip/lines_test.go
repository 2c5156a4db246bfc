package sip

import (
	"bytes"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	head := "OPTIONS sip:h SIP/2.0\n" + least + "X:  y\n z\n"
	t.Run("P6 lines that end in LF alone are lines", func(t *testing.T) {
		for name, in := range map[string]string{
			"all":                 head + "Content-Length: 4\n\na\r\nb\n",
			"after empty lines":   "\n\r\n\n" + head + "\na\nb",
			"only the last":       string(crlf(head)) + "\na\r\nb",
			"all but the last":    head + "\r\na\r\nb",
			"only the start-line": strings.Replace(string(crlf(head+"\n")), "\r\n", "\n", 1) + "a\r\nb",
			"a fold":              strings.Replace(string(crlf(head+"\n")), "y\r\n", "y\n", 1) + "a\nb",
		} {
			var m Message
			var r Request
			if err := m.Parse([]byte(in)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := r.Decode(&m); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !bytes.HasPrefix(m.Bytes(), crlf(head)) {
				t.Errorf("%s: it is read as\n%q", name, m.Bytes())
			}
			if body := m.Body(); len(body) < 3 || body[0] != 'a' {
				t.Errorf("%s: the body is %q", name, body)
			}
			value, _ := m.Value(HeaderCSeq)
			if at := m.Offset(value); !bytes.HasPrefix(m.Bytes()[at:], []byte("1 OPTIONS\r\n")) {
				t.Errorf("%s: the CSeq stands at %d", name, at)
			}
			// The next message is read as if this one had not been there.
			if err := m.Parse(register); err != nil || !bytes.Equal(m.Bytes(), register) {
				t.Errorf("%s: what comes next: %v", name, err)
			}
		}
		var m Message
		if err := m.Parse([]byte("SIP/2.0 200 OK\n" + least + "\n")); err != nil || m.StatusCode() != 200 {
			t.Errorf("a response: %v", err)
		}
	})
	t.Run("P6 a CR alone stays an error", func(t *testing.T) {
		for _, in := range []string{"X: a\rY: b\n", "X: a\r\r\n", "X: a\n\r\r\n", "X\r: a\r\n"} {
			var m Message
			if err := m.Parse([]byte(head + in + "\n")); err == nil || m.Answerable() {
				t.Errorf("%q: %v", in, err)
			}
		}
	})
	t.Run("P6 a line that is no header field is ignored and stays", func(t *testing.T) {
		for _, line := range []string{"no colon", ": no name", "a name with spaces: x", "(x): y", "Nam\xe9: x", "=", "--"} {
			var m Message
			var r Request
			in := crlf("OPTIONS sip:h SIP/2.0\n" + line + "\n" + least + "\nbody")
			if err := m.Parse(in); err != nil || r.Decode(&m) != nil || !bytes.Equal(m.Bytes(), in) || m.Len() != 5 {
				t.Errorf("%q: %v, %d header fields", line, err, m.Len())
			}
		}
	})
	t.Run("P6 a header field that nobody reads may stand twice", func(t *testing.T) {
		for _, lines := range []string{"Content-Type: a/b\nContent-Type: c/d\n", "Expires: 1\nExpires: 2\n", "Subject: a\nSubject:\n", "Min-Expires: 1\nMin-Expires: 1\n", "l: 0\nContent-Length: 00\n"} {
			var m Message
			if err := m.Parse(crlf("OPTIONS sip:h SIP/2.0\n" + least + lines + "\n")); err != nil {
				t.Errorf("%q: %v", lines, err)
			}
		}
		var m Message
		if err := m.Parse(crlf("SIP/2.0 200 OK\n" + least + "f: <sip:c@h>\nt: <sip:d@h>\ni: d\nMax-Forwards: 1\nMax-Forwards: 2\n\n")); err != nil {
			t.Errorf("a response: %v", err)
		}
		if err := m.Parse(crlf("SIP/2.0 200 OK\n" + least + "CSeq: 2 OPTIONS\n\n")); err == nil {
			t.Error("a response with two CSeqs is taken")
		}
	})
	t.Run("P6 a stream whose lines end in LF alone is cut where it ends", func(t *testing.T) {
		one := "OPTIONS sip:h SIP/2.0\nl: 4\n\n\n\r\nx"
		stream := []byte("\n\n" + one + string(crlf(framed)) + "\r\n\n" + strings.Replace(one, "4\n\n", "4\n\r\n", 1) + strings.Replace(one, "4\n\n", "4\r\nContent-Length: 4\n\n", 1))
		for piece := 1; piece <= len(stream); piece++ {
			got, err := frames(stream, piece, MaxHead, MaxBody)
			if err != nil || len(got) != 4 {
				t.Fatalf("in pieces of %d: %d messages, %v", piece, len(got), err)
			}
			for i, b := range got {
				var m Message
				if err := m.Parse(b); err != nil || len(m.Body()) != 4 {
					t.Fatalf("message %d: %q, %v", i, b, err)
				}
			}
		}
	})
}

// FuzzLines holds Parse against the plainest way to read lines: an LF ends one, with the CR before it, and the first
// empty one ends the header section. What is read must be framed alike by whoever knows CRLF alone.
func FuzzLines(f *testing.F) {
	corpus(f, func(b []byte) {
		f.Add(b)
		f.Add(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))
	})
	f.Add([]byte("OPTIONS sip:h SIP/2.0\nX: y\r\n z\n\r\n\nbody"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, n Message
		err := m.Parse(b)
		head, body := plainLines(b)
		again := n.Parse(append(head, body...))
		if (err == nil) != (again == nil) || err == nil && !bytes.Equal(m.Bytes(), n.Bytes()) {
			t.Fatalf("%q is read as %q (%v), with plain lines as %q (%v)", b, m.Bytes(), err, n.Bytes(), again)
		}
		if err != nil {
			return
		}
		out := m.Bytes()
		if end := bytes.Index(out, []byte("\r\n\r\n")); end+4 != len(out)-len(m.Body()) {
			t.Fatalf("%q has its header section end at %d, its body is %q", out, end, m.Body())
		}
		if lines := bytes.ReplaceAll(out[:len(out)-len(m.Body())], []byte("\r\n"), nil); bytes.ContainsAny(lines, "\r\n") {
			t.Fatalf("%q has a CR or LF alone", out)
		}
		if length := HeadLength(b[skipEmptyLines(b):]); length != 0 && HeadLength(out) != len(out)-len(m.Body()) {
			t.Fatalf("%q: the header section has %d bytes, as it came %d", b, len(out)-len(m.Body()), length)
		}
	})
}

// plainLines is the header section of b with CRLFs, and what follows it.
func plainLines(b []byte) (head, body []byte) {
	text := string(b)
	for strings.HasPrefix(text, "\n") || strings.HasPrefix(text, "\r\n") {
		text = text[strings.IndexByte(text, '\n')+1:]
	}
	for {
		line, rest, found := strings.Cut(text, "\n")
		if !found {
			return head, []byte(text)
		}
		line = strings.TrimSuffix(line, "\r")
		head, text = append(append(head, line...), "\r\n"...), rest
		if line == "" {
			return head, []byte(text)
		}
	}
}
