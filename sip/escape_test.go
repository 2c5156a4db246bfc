package sip

import (
	"bytes"
	"testing"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "alice": "alice", "%61lice": "alice", "a%40b": "a@b", "%00": "\x00", "%": "%", "%4": "%4", "%zz": "%zz",
		"%25%34%31": "%41", "%c3%A9": "é",
	} {
		if got := string(AppendUnescaped(nil, []byte(in))); got != want {
			t.Errorf("%q unescaped is %q, want %q", in, got, want)
		}
	}
	if got := string(AppendEscapedUser(nil, []byte("a b@c:d%é;x#"))); got != "a%20b%40c%3Ad%25%C3%A9;x%23" {
		t.Errorf("escaped: %q", got)
	}
}

// TestAppendLower: each byte, at each place among the eight that are read at once and behind them.
func TestAppendLower(t *testing.T) {
	for c := range 256 {
		for place := range 11 {
			text := []byte("\xffZ[@Aaz\x00\xc1Q-")
			text[place] = byte(c)
			want := []byte("before")
			for _, c := range text {
				want = append(want, lower(c))
			}
			if got := AppendLower([]byte("before"), text); !bytes.Equal(got, want) {
				t.Fatalf("%q became %q, want %q", text, got, want)
			}
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add([]byte("sips:user@example.com"))
	f.Add([]byte("\x00%41é"))
	f.Fuzz(func(t *testing.T, text []byte) {
		escaped := AppendEscapedUser(nil, text)
		if got := AppendUnescaped(nil, escaped); !bytes.Equal(got, text) {
			t.Fatalf("%q was escaped as %q and read as %q", text, escaped, got)
		}
		if len(text) > 0 {
			u, err := ParseURI(append(append([]byte("sip:"), escaped...), "@h"...))
			if err != nil || !bytes.Equal(u.User, escaped) {
				t.Fatalf("%q is no user: %v", escaped, err)
			}
		}
	})
}
