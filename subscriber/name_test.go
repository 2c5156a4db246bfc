package subscriber

import (
	"errors"
	"strings"
	"testing"

	"biloxi/sip"
)

func TestCanonicalDomain(t *testing.T) {
	for name, want := range map[string]string{
		"biloxi.example.com": "biloxi.example.com", "Biloxi.Example.COM.": "biloxi.example.com", "localhost": "localhost",
		"127.0.0.1": "127.0.0.1", "[::1]": "[::1]", "[2001:DB8:0::1]": "[2001:db8::1]", "a_b.example": "a_b.example", "a-b": "a-b",
		"": "", ".": "", "a..b": "", "-a.b": "", "a-.b": "", "a b": "", "a@b": "", "a:5060": "", "::1": "", "[::1": "", "[127.0.0.1]": "",
		"[fe80::1%eth0]": "", "bücher.example": "", "a;b": "", strings.Repeat("a", 64): "", strings.Repeat("a.", 127) + "a": "",
	} {
		got, err := CanonicalDomain(name)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestValidateUser(t *testing.T) {
	for user, want := range map[string]bool{
		"bob": true, "+1-212-555-1212": true, "b\"ob": true, "jürgen": true, "bob@work": true, "a,b": true, strings.Repeat("x", MaxUser): true,
		"": false, "a:b": false, "a b": false, "a\x00": false, "a\n": false, "\xff": false, "a\u200b": false, "a\u00a0b": false, strings.Repeat("x", MaxUser+1): false,
	} {
		if err := ValidateUser(user); (err == nil) != want || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", user, err)
		}
	}
}

func TestValidate(t *testing.T) {
	good := Subscriber{User: "bob", Domain: "biloxi.example.com", Realm: "Biloxi's users", HA1s: HA1s{Has: 1 << sip.MD5}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Subscriber){
		"user":          func(s *Subscriber) { s.User = "" },
		"domain":        func(s *Subscriber) { s.Domain = "" },
		"capitals":      func(s *Subscriber) { s.Domain = "Biloxi.example.com" },
		"realm":         func(s *Subscriber) { s.Realm = "" },
		"long realm":    func(s *Subscriber) { s.Realm = strings.Repeat("r", MaxRealm+1) },
		"control realm": func(s *Subscriber) { s.Realm = "a\r\nb" },
		"no hash":       func(s *Subscriber) { s.HA1s.Has = 0 },
	} {
		s := good
		change(&s)
		if err := s.Validate(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseAOR(t *testing.T) {
	for aor, want := range map[string][2]string{
		"bob@biloxi.example.com":       {"bob", "biloxi.example.com"},
		"sip:bob@Biloxi.example.com":   {"bob", "biloxi.example.com"},
		"SIPS:bob@biloxi.example.com":  {"bob", "biloxi.example.com"},
		"sip:b%20b@a":                  {"", ""}, // a space cannot be seen
		"sip:%62ob@a":                  {"bob", "a"},
		"sip:bob%40work@a":             {"bob@work", "a"},
		"sip:+1-212@[::1]":             {"+1-212", "[::1]"},
		"jürgen@a":                     {"jürgen", "a"},
		"50%@a":                        {"50%", "a"},
		"bob":                          {"", ""},
		"sip:biloxi.example.com":       {"", ""},
		"@a":                           {"", ""},
		"bob@":                         {"", ""},
		"bob:secret@a":                 {"", ""},
		"tel:+1@a":                     {"", ""},
		"bob@a:5060":                   {"", ""},
		"sip:bob@a;transport=tcp":      {"", ""},
		"<sip:bob@biloxi.example.com>": {"", ""},
	} {
		user, domain, err := ParseAOR(aor)
		if user != want[0] || domain != want[1] || (err == nil) != (want[0] != "") || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q %q, %v", aor, user, domain, err)
		}
	}
}

func FuzzParseAOR(f *testing.F) {
	for _, s := range []string{"bob@biloxi.example.com", "sip:b%3Ab@[::1]", "sips:a@b@c", "jürgen@A.", "%@a", "%41@a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, aor string) {
		user, domain, err := ParseAOR(aor)
		if err != nil {
			return
		}
		// The oracle: what is written back is a SIP URI that names the same user and domain.
		text := AppendAOR(nil, user, domain)
		u, err := sip.ParseURI(text)
		if err != nil || string(sip.AppendUnescaped(nil, u.User)) != user || string(u.Host) != domain {
			t.Fatalf("%q is %q at %q, written %s: %v", aor, user, domain, text, err)
		}
		again, same, err := ParseAOR(string(text))
		if err != nil || again != user || same != domain {
			t.Fatalf("%q read as %q at %q, then %q at %q: %v", aor, user, domain, again, same, err)
		}
	})
}
