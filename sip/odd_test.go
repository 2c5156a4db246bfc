package sip

import (
	"net/netip"
	"strings"
	"testing"
)

// TestOddNameAddr: what phones write and what can be read in one way only is read so.
func TestOddNameAddr(t *testing.T) {
	t.Run("P6 a display name that should stand in quotes is one", func(t *testing.T) {
		for _, display := range []string{
			"Jürgen Müller", "J\xfcrgen M\xfcller", "Smith, J.", "Sales/Support", "Bob (office)", "bob@work", "24/7", "a;b",
			"Office: Bob", "#5", "[5]", "{x}", "Tom & Jerry", "=?UTF-8?Q?x?=", `"Bob" (home)`, `Bob "the Bob" Smith`, "a\r\n b/c", `DOM\user`, "日本", ",",
		} {
			n, err := ParseNameAddr([]byte(display + " <sip:bob@h;lr>;tag=1;x=y"))
			if err != nil || string(n.Display) != display || string(n.URI.User) != "bob" || string(n.Tag()) != "1" {
				t.Errorf("%q: %v, %q", display, err, n.Display)
			}
			if out := string(n.Append(nil)); out[0] != '"' || !strings.HasSuffix(out, `" <sip:bob@h;lr>;tag=1;x=y`) {
				t.Errorf("%q is written as %s", display, out)
			}
		}
	})
	t.Run("P6 what has two readings stays an error", func(t *testing.T) {
		for _, in := range []string{
			"sip:alice@h <sip:bob@h>", "sip:alice@h:x <sip:bob@h>", "tel:1,2 3 <sip:bob@h>", `Bob" <sip:bob@h>`, `"Bob <sip:bob@h>`, `a\" <sip:a@h> " <sip:b@h>`,
			"a > b <sip:bob@h>", "a\x00b <sip:bob@h>", "a\x1bb <sip:bob@h>", "Bob <sip:bob@h", "Bob", "Bob sip:bob@h", "a <sip:a@h> <sip:b@h>", "a <sip:a@h>b",
			`a "b <sip:x@h>" <sip:y@h> z`,
		} {
			if n, err := ParseNameAddr([]byte(in)); err == nil {
				t.Errorf("%q is taken: %q %q", in, n.Display, n.URI.Raw())
			}
		}
	})
	t.Run("P6 a comma in a display name parts no list", func(t *testing.T) {
		m := parsed(t, "Contact: Smith, J. <sip:a@h>;q=.5, <sip:b@h>,, Doe; K., X <sip:c@h>;expires=, sip:d@h;y= ,\nContact:\nm: <sip:e@h>;\n")
		var got []string
		v := m.Values(HeaderContact)
		for v.Next() {
			got = append(got, string(v.URI.User)+":"+string(v.Display))
		}
		if s := strings.Join(got, "|"); s != "a:Smith, J.|b:|c:Doe; K., X|d:|e:" || v.Err() != nil {
			t.Errorf("%s, %v", s, v.Err())
		}
	})
}

func TestOddParams(t *testing.T) {
	t.Run("P6 an empty value, a semicolon too many, and what is no token", func(t *testing.T) {
		for in, want := range map[string]string{
			";app-imei=":                       `;app-imei=""`,
			";app-imei= ;x":                    `;app-imei="";x`,
			";":                                "",
			";;":                               "",
			"; ;a; ;b ; ":                      ";a;b",
			";a;;b;":                           ";a;b",
			";tag=":                            `;tag=""`,
			";tag":                             ";tag",
			";x=a@b/c==":                       `;x="a@b/c=="`,
			";x={6F9619FF}":                    `;x="{6F9619FF}"`,
			";x=Jürgen":                        `;x="Jürgen"`,
			";x=J\xfcrgen;y":                   ";x=\"J\xfcrgen\";y",
			";a{b}=1;c":                        ";c",
			";foo=1;foo=2":                     ";foo=1;foo=2",
			";received=2001:db8::9:255;rport=": `;received=2001:db8::9:255;rport=""`,
		} {
			s := paramScan{want: "tag"}
			if next, reason := s.scan([]byte(in), 0); reason != "" || next != len(in) {
				t.Errorf("%q: %d %s", in, next, reason)
			}
			if got := string(s.params.AppendWithout(nil)); got != want {
				t.Errorf("%q is written as %s, want %s", in, got, want)
			}
			if s.value != nil {
				t.Errorf("%q has the tag %q", in, s.value)
			}
		}
		n, err := ParseNameAddr([]byte("<sip:a@h>;+sip.instance=<urn:uuid:00000000>;reg-id=1"))
		if v, _ := n.Params.Value("+sip.instance"); err != nil || string(v) != "<urn:uuid:00000000>" {
			t.Errorf("an instance without quotes is %q, %v", v, err)
		}
	})
	t.Run("P6 what has two readings stays an error", func(t *testing.T) {
		for _, in := range []string{";x=<a>", ";x=a<b>", ";x=a?b", `;x=a"b"`, ";x=a b", ";x=\x00", ";x=a\x01", ";=x", ";x=\"a", ";tag=;tag=x", ";tag=1;tag=2", ";branch;BRANCH"} {
			s := paramScan{want: "tag"}
			if next, reason := s.scan([]byte(in), 0); reason == "" {
				t.Errorf("%q is taken up to %d: %q", in, next, s.params)
			}
		}
	})
}

func TestOddTag(t *testing.T) {
	t.Run("P6 a To whose tag is empty is answered with one tag", func(t *testing.T) {
		for in, want := range map[string]string{
			"<sip:b@h>":                  "<sip:b@h>;tag=NEW",
			"<sip:b@h>;":                 "<sip:b@h>;tag=NEW",
			"<sip:b@h>;x=;":              "<sip:b@h>;x=;tag=NEW",
			"<sip:b@h>;tag=":             "<sip:b@h>;tag=NEW",
			"<sip:b@h>;tag":              "<sip:b@h>;tag=NEW",
			"<sip:b@h>;tag= ;x":          "<sip:b@h>;tag=NEW ;x",
			"<sip:b@h>;tag;x=":           "<sip:b@h>;tag=NEW;x=",
			"sip:b@h;Tag = ;x":           "sip:b@h;Tag =NEW ;x",
			"Müller, B. <sip:b@h>;tag=;": "Müller, B. <sip:b@h>;tag=NEW;",
			"<sip:b@h>;tag=old":          "<sip:b@h>;tag=old",
		} {
			m := parsed(t, "To: "+in+"\n")
			b := AppendResponse(nil, m, 200, "", []byte("NEW"), netip.AddrPort{})
			if !strings.Contains(string(b), "\r\nTo: "+want+"\r\n") {
				t.Errorf("%q is answered with\n%s", in, b)
			}
		}
	})
}

func TestOddVia(t *testing.T) {
	t.Run("P6 a Via with an empty rport or odd parameters is answered", func(t *testing.T) {
		for in, want := range map[string]string{
			"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{1/2}@3==;rport=":      "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{1/2}@3==;rport=5062;received=192.0.2.201",
			"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport;":              "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1;rport=5062;received=192.0.2.201",
			"SIP/2.0/UDP 192.0.2.9;;branch=z9hG4bK1;keep=;rport":        "SIP/2.0/UDP 192.0.2.9;;branch=z9hG4bK1;keep=;rport=5062;received=192.0.2.201",
			"SIP / 2.0 / UDP 192.0.2.201 ; branch = z9hG4bK1 ; x = ; y": "SIP / 2.0 / UDP 192.0.2.201 ; branch = z9hG4bK1 ; x = ; y",
			"SIP/2.0/UDP 192.0.2.201;branch=x;received=":                "SIP/2.0/UDP 192.0.2.201;branch=x",
		} {
			v, err := ParseVia([]byte(in))
			if err != nil {
				t.Errorf("%s: %v", in, err)
				continue
			}
			if got := string(v.AppendReceived(nil, source)); got != want {
				t.Errorf("%s is answered with\n%s", in, got)
			}
		}
	})
}
