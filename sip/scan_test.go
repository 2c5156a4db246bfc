package sip

import (
	"bytes"
	"testing"
)

func TestUnfolded(t *testing.T) {
	for in, want := range map[string]string{"": "", "a b": "a b", "a\r\n b": "a b", "a \t\r\n \r\n\tb": "a b", "\r\n a": " a", "a\r\n ": "a "} {
		if got := string(AppendUnfolded([]byte("x "), []byte(in))); got != "x "+want {
			t.Errorf("%q unfolded is %q, want %q", in, got, "x "+want)
		}
	}
}

// Each byte at each place of a quoted string is taken or not, whatever step the scan is in.
func TestQuotedBytes(t *testing.T) {
	for at := range 20 {
		for c := range 256 {
			for _, before := range []byte{'a', '\t', 0xc3} {
				b := bytes.Repeat([]byte{before}, 22)
				b[0], b[1+at], b[21] = '"', byte(c), '"'
				want := 22
				switch {
				case c == '"':
					want = 2 + at
				case c == '\\' && at == 19: // the pair's other half is the last quote
					want = -1
				case c == 0x7f, c < ' ' && c != '\t' && c != '\r' && c != '\n':
					want = -1
				}
				if got := skipQuoted(b, 0); got != want {
					t.Fatalf("%#x at %d among %q: %d, want %d", c, at, before, got, want)
				}
			}
		}
	}
}
