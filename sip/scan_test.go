package sip

import "testing"

func TestUnfolded(t *testing.T) {
	for in, want := range map[string]string{"": "", "a b": "a b", "a\r\n b": "a b", "a \t\r\n \r\n\tb": "a b", "\r\n a": " a", "a\r\n ": "a "} {
		if got := string(AppendUnfolded([]byte("x "), []byte(in))); got != "x "+want {
			t.Errorf("%q unfolded is %q, want %q", in, got, "x "+want)
		}
	}
}
