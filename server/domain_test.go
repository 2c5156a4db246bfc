package server

import (
	"testing"

	"biloxi/config"
)

// TestFindDomain: a host is one of ours however it is written.
func TestFindDomain(t *testing.T) {
	d := newDomains([]config.Domain{{Name: "biloxi.example.com", Aliases: []string{"192.0.2.1", "[2001:db8::1]"}},
		{Name: "[2001:db8::2]"}})
	for name, want := range map[string]string{
		"biloxi.example.com":     "biloxi.example.com",
		"BILOXI.Example.COM.":    "biloxi.example.com",
		"192.0.2.1":              "biloxi.example.com",
		"[2001:db8::1]":          "biloxi.example.com",
		"[2001:0DB8:0:0::0:1]":   "biloxi.example.com",
		"[2001:DB8::0:2]":        "[2001:db8::2]",
		"[2001:db8::3]":          "",
		"2001:db8::1":            "",
		"[":                      "",
		"":                       "",
		"biloxi.example.com.com": "",
	} {
		got := ""
		if h := d.find([]byte(name)); h.domain != nil {
			got = string(h.domain.name)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
