package config

import (
	"strings"
	"testing"

	"biloxi/sip"
)

func TestAdvertise(t *testing.T) {
	for text, want := range map[string]string{
		"ss1.atlanta.example.com": "ss1.atlanta.example.com",
		"SS1.Example.com.:5070":   "ss1.example.com:5070",
		"192.0.2.1":               "192.0.2.1",
		"[2001:DB8:0::1]:5061":    "[2001:db8::1]:5061",
	} {
		if got, reason := parseAdvertise(text); got != want || reason != "" {
			t.Errorf("%s is %q, %s", text, got, reason)
		}
	}
}

// FuzzAdvertise holds that what is accepted is in its one form, and is the host and port of a URI as it stands.
func FuzzAdvertise(f *testing.F) {
	for _, text := range []string{"a.example", "A.example.:5060", "[::1]:5060", "::1", "0.0.0.0", "0.0.0.0.", "a@b", "a;lr", "a?b", "sip:a", "a:0", ".", "a..:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, reason := parseAdvertise(text)
		if reason != "" {
			if got != "" {
				t.Errorf("%q: %q, and %s", text, got, reason)
			}
			return
		}
		if again, reason := parseAdvertise(got); again != got || reason != "" {
			t.Errorf("%q is %q, which is %q, %s", text, got, again, reason)
		}
		u, err := sip.ParseURI([]byte("sip:" + got + ";lr"))
		if err != nil || !u.Params.Has("lr") || !strings.HasPrefix(got, string(u.Host)) || u.User != nil {
			t.Errorf("%q is %q, which is no host in a URI: %v", text, got, err)
		}
	})
}
