package sip

import (
	"bytes"
	"strings"
	"testing"
)

// frames cuts a stream that comes in pieces of the given size, and says how it ended.
func frames(stream []byte, piece, maxHead, maxBody int) (messages [][]byte, err error) {
	var pending []byte
	for at := 0; at < len(stream); at += piece {
		pending = append(pending, stream[at:min(at+piece, len(stream))]...)
		for {
			skip, length, _, err := Frame(pending, maxHead, maxBody)
			if err != nil {
				return messages, err
			}
			if length == 0 {
				pending = pending[skip:]
				break
			}
			messages = append(messages, bytes.Clone(pending[skip:skip+length]))
			pending = pending[skip+length:]
		}
	}
	return messages, nil
}

var crlfBytes = []byte("\r\n")

const framed = "OPTIONS sip:h SIP/2.0\nl: 4\n\nbody"

func TestFrame(t *testing.T) {
	t.Run("TP-025", func(t *testing.T) {
		stream := crlf("\n\n" + framed + framed + "\n\nCANCEL sip:h SIP/2.0\nCall-ID: l\nContent-Length  : \n 0\nX:\n l: 7\n\n" + "\n\n" + framed)
		for piece := 1; piece <= len(stream); piece++ {
			got, err := frames(stream, piece, MaxHead, MaxBody)
			if err != nil || len(got) != 4 {
				t.Fatalf("in pieces of %d: %d messages, %v", piece, len(got), err)
			}
			for i, start := range []string{"OPTIONS", "OPTIONS", "CANCEL", "OPTIONS"} {
				if !bytes.HasPrefix(got[i], []byte(start)) {
					t.Fatalf("in pieces of %d: message %d is %q", piece, i, got[i])
				}
			}
		}
	})
	t.Run("TP-026", func(t *testing.T) {
		for in, want := range map[string]string{
			"OPTIONS sip:h SIP/2.0\nX: y\n\n|":                            "Content-Length: a message on a stream must have one",
			"OPTIONS sip:h SIP/2.0\nl 5\n\n|":                             "Content-Length: a message on a stream must have one",
			"OPTIONS sip:h SIP/2.0\nContent-Length: |-1\n\n":              "Content-Length: not a number of bytes",
			"OPTIONS sip:h SIP/2.0\nContent-Length: |five\n\n":            "Content-Length: not a number of bytes",
			"OPTIONS sip:h SIP/2.0\nl: 1\n|Content-Length: 2\n\n":         "Content-Length: the header field stands twice",
			"OPTIONS sip:h SIP/2.0\nl: |1 2\n\n":                          "Content-Length: not a number of bytes",
			"OPTIONS sip:h SIP/2.0\nl: |65\n\n":                           "Content-Length: the body is too long",
			"OPTIONS sip:h SIP/2.0\nl: |9999999999999999999999999\n\n":    "Content-Length: the body is too long",
			"OPTIONS sip:h SIP/2.0\nX: " + strings.Repeat("x", 200) + "|": "message: the header section is too long",
		} {
			before, after, _ := strings.Cut(in, "|")
			at := len(crlf(before))
			head := len(crlf(before + after))
			if strings.Contains(want, "section") {
				at, head = 128, 0
			}
			_, length, known, err := Frame(crlf("\n"+before+after), 128, 64)
			if length != 0 || known != head || offset(err) != at || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q: known %d, %v; want %s, offset %d", in, known, err, want, at)
			}
			if tooLarge := strings.Contains(want, "too long"); err.(*SyntaxError).TooLarge != tooLarge {
				t.Errorf("%q: TooLarge is %v", in, !tooLarge)
			}
		}
	})
	t.Run("R5 a response that leaves Content-Length out has no body, if no Content-Type says that there is one", func(t *testing.T) {
		const bare, lower = "SIP/2.0 486 Busy Here\nX: y\n\n", "sip/2.0 180 Ringing\nl: 2\nContent-Length: 2\n\nab"
		stream := crlf(bare + lower + "\n\n" + bare + framed)
		for piece := 1; piece <= len(stream); piece++ {
			got, err := frames(stream, piece, MaxHead, MaxBody)
			if err != nil || len(got) != 4 || string(got[1]) != string(crlf(lower)) || string(got[2]) != string(crlf(bare)) {
				t.Fatalf("in pieces of %d: %q, %v", piece, got, err)
			}
		}
		for _, in := range []string{"SIP/2.0 200 OK\nc: application/sdp\n\nv=0\n", "SIP/2.0 200 OK\nl: 1\nl: 2\n\nab", "SIP/2.0 200 OK\nl: x\n\n"} {
			if got, err := frames(crlf(in), len(in), MaxHead, MaxBody); err == nil || len(got) != 0 {
				t.Errorf("%q: %q", in, got)
			}
		}
	})
	for _, row := range []struct {
		in   string
		skip int
	}{{"", 0}, {"\r", 0}, {"\r\n", 2}, {"\r\n\r\n", 4}, {"\r\n\r", 2}, {"OPT", 0}, {"\r\nOPT", 2},
		{"\n", 1}, {"\n\r\n\n\r", 4}, {"\nOPT\n\r", 1}} {
		if skip, length, _, err := Frame([]byte(row.in), MaxHead, MaxBody); skip != row.skip || length != 0 || err != nil {
			t.Errorf("%q: skip %d, length %d, %v", row.in, skip, length, err)
		}
	}
}

// FuzzFrame cuts a stream in pieces: the messages must be the same however it comes, and each must end
// where Parse says that it does.
func FuzzFrame(f *testing.F) {
	var all []byte
	corpus(f, func(b []byte) {
		f.Add(b, uint8(7))
		all = append(all, b...)
	})
	f.Add(crlf("\n\n"+framed+framed), uint8(3))
	f.Add(all, uint8(200))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		const maxHead, maxBody = 512, 256
		whole, wholeErr := frames(stream, len(stream)+1, maxHead, maxBody)
		pieces, piecesErr := frames(stream, int(piece)+1, maxHead, maxBody)
		if len(whole) != len(pieces) || (wholeErr == nil) != (piecesErr == nil) {
			t.Fatalf("%q: %d messages (%v), in pieces of %d %d (%v)", stream, len(whole), wholeErr, piece, len(pieces), piecesErr)
		}
		for i, b := range whole {
			if !bytes.Equal(b, pieces[i]) {
				t.Fatalf("%q: message %d is %q, in pieces %q", stream, i, b, pieces[i])
			}
			var m Message
			err := m.Parse(b)
			if err == nil && bytes.Contains(bytes.ReplaceAll(b, crlfBytes, nil), crlfBytes[1:]) {
				continue // its lines ended in LF, and are longer now
			}
			if err == nil && (len(m.Bytes()) != len(b) || !m.Has(HeaderContentLength) && !m.IsResponse()) {
				t.Fatalf("%q is framed, and parsed as %q", b, m.Bytes())
			}
		}
	})
}
