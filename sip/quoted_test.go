package sip

import (
	"bytes"
	"testing"
)

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{`"a"`: "a", `"a\"b\\"`: `a"b\`, `""`: "", `"`: `"`, "": "", "token": "token", `"x\`: `"x\`} {
		if got := string(Unquote(nil, []byte(in))); got != want {
			t.Errorf("%s unquoted is %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{`"`, `"a`, `"a\`, `"a\"`, "\"\x00\"", "\"a\\\r\"", "\"\x7f\""} {
		if end := skipQuoted([]byte(in), 0); end >= 0 {
			t.Errorf("%q is a quoted string of %d bytes", in, end)
		}
	}
}

func FuzzQuoted(f *testing.F) {
	f.Add([]byte("a \"b\" \\ \x00\r\n é"))
	f.Fuzz(func(t *testing.T, text []byte) {
		q := AppendQuoted(nil, text)
		if end := skipQuoted(q, 0); end != len(q) {
			t.Fatalf("%q was quoted as %q, which ends at %d", text, q, end)
		}
		var want []byte
		for _, c := range text {
			if c == '\r' || c == '\n' {
				c = ' '
			}
			want = append(want, c)
		}
		if got := Unquote(nil, q); !bytes.Equal(got, want) {
			t.Fatalf("%q was quoted as %q and read as %q", text, q, got)
		}
	})
}
