package sip

import (
	"bytes"
	"strings"
	"testing"
)

func TestNameAddr(t *testing.T) {
	for _, row := range []struct{ in, display, uri, params, tag string }{
		{`"Bob" <sips:bob@biloxi.com>;tag=a48s`, `"Bob"`, "sips:bob@biloxi.com", ";tag=a48s", "a48s"},
		{`sip:+12125551212@server.phone2net.com;tag=887s`, "", "sip:+12125551212@server.phone2net.com", ";tag=887s", "887s"},
		{`Anonymous <sip:c8oqz84zk7z@privacy.org>;TAG=hyh8`, "Anonymous", "sip:c8oqz84zk7z@privacy.org", ";TAG=hyh8", "hyh8"},
		{`caller<sip:a@h>`, "caller", "sip:a@h", "", ""},
		{"Mr.  A\r\n B \t<sip:a@h>", "Mr.  A\r\n B", "sip:a@h", "", ""},
		{`"J Rosenberg \\\""  <sip:j@h;lr>  ;  tag  =  x  `, `"J Rosenberg \\\""`, "sip:j@h;lr", ";  tag  =  x", "x"},
		{`"<sip:a@h>, ;" <sip:b@h>`, `"<sip:a@h>, ;"`, "sip:b@h", "", ""},
		{`"Zoë \é"<sip:b@h>`, `"Zoë \é"`, "sip:b@h", "", ""},
		{`"Zoë" <sip:b@h>`, `"Zoë"`, "sip:b@h", "", ""},
		{`<tel:+1>;q=1;+sip.instance="<urn:uuid:1>";reg-id=1`, "", "tel:+1", `;q=1;+sip.instance="<urn:uuid:1>";reg-id=1`, ""},
		{`mailto:watson@bell.example;q=0.1`, "", "mailto:watson@bell.example", ";q=0.1", ""},
		{`"" <sip:a@h>`, `""`, "sip:a@h", "", ""},
		{`sip:[2001:db8::1]:5061`, "", "sip:[2001:db8::1]:5061", "", ""},
		{`<sip:a@h?x=y>;received=[::1];p="a;b"`, "", "sip:a@h?x=y", `;received=[::1];p="a;b"`, ""},
	} {
		n, err := ParseNameAddr([]byte(row.in))
		if row.uri == "" {
			if err == nil {
				t.Errorf("%s is taken", row.in)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.in, err)
			continue
		}
		if string(n.Display) != row.display || string(n.URI.Raw()) != row.uri || string(n.Params) != row.params || string(n.Tag()) != row.tag {
			t.Errorf("%s: %q %q %q %q", row.in, n.Display, n.URI.Raw(), n.Params, n.Tag())
		}
		if string(n.Raw()) != strings.TrimSpace(row.in) {
			t.Errorf("%s: raw %q", row.in, n.Raw())
		}
		cut(row.in, func(b []byte) { ParseNameAddr(b) })
	}
}

// TestNameAddrError gives what is wrong behind a bar, which is not part of the value.
func TestNameAddrError(t *testing.T) {
	for _, in := range []string{
		"|", "|*", "|<sip:a@h", `|"Bob <sip:a@h>`, `"Bob" |sip:a@h`, `"Bob"|`, "<| sip:a@h>", "<sip:a@h| >",
		"<|>x", "sip:a@h|?x=y", "http://h/|?x=y", "<sip:a@h>;|=x", "<sip:a@h>|x", `<sip:a@h>;t=|"x`, "<sip:a@h>;tag=1;|Tag=2",
		"<sip:a@h>|,", "<sip:a@h> |,  ", "<sip:a@h>, |<sip:b@h>", "<sip:a@h>;a=b |@c", "sip:a |sip:b", "|\"a\x00\" <sip:a@h>",
	} {
		before, after, _ := strings.Cut(in, "|")
		if _, err := ParseNameAddr([]byte(before + after)); offset(err) != len(before) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestNameAddrAppend(t *testing.T) {
	t.Run("HD-014", func(t *testing.T) {
		for _, in := range []string{
			`"Zoë \"the\" Ж" <sip:zo%C3%AB@h;x>;tag=1`, "Mr. X <sips:h>", "<tel:+1>;q=0.5;p=\"a,b\"",
			"\"a\r\n b\" <sip:a@h>",
		} {
			n, err := ParseNameAddr([]byte(in))
			if err != nil || string(n.Append(nil)) != in {
				t.Errorf("%s: %s, %v", in, n.Append(nil), err)
			}
		}
	})
}

func TestNextNameAddr(t *testing.T) {
	rest := []byte("<sip:a@h;x=1>;q=1 , \"x, y\" <sip:b@h>,\r\n sip:c@h;p=\"1,2\"")
	var got []string
	for rest != nil {
		n, next, err := NextNameAddr(rest)
		if err != nil {
			t.Fatal(err)
		}
		got, rest = append(got, string(n.URI.User)+string(n.Params)), next
	}
	if strings.Join(got, " ") != `a;q=1 b c;p="1,2"` {
		t.Errorf("%q", got)
	}
}

// text is what a quoted string, or what stands for one, says in one line.
func text(v []byte) []byte {
	if isDisplay(v) {
		v = Unquote(nil, v)
	}
	return AppendUnfolded(nil, v)
}

func FuzzNameAddr(f *testing.F) {
	corpusValues(f, []Header{HeaderFrom, HeaderTo, HeaderContact, HeaderRoute, HeaderRecordRoute}, func(b []byte) { f.Add(b) })
	f.Add([]byte(`"a\"b" <sip:a@h>;tag=x;y="z",sip:b@h`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, rest, err := NextNameAddr(b)
		if err != nil {
			if at := offset(err); at < 0 || at > len(b) {
				t.Fatalf("%q: offset %d", b, at)
			}
			return
		}
		if rest != nil && len(n.Raw())+len(rest) >= len(b) {
			t.Fatalf("%q: %q and %q are behind", b, n.Raw(), rest)
		}
		out := n.Append(nil)
		again, err := ParseNameAddr(out)
		if err != nil {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
		if !n.URI.Equal(again.URI) || !bytes.Equal(text(n.Display), text(again.Display)) || !bytes.Equal(text(n.Tag()), text(again.Tag())) {
			t.Fatalf("%q was appended as %q, which is not the same", b, out)
		}
		if third := again.Append(nil); !bytes.Equal(third, out) {
			t.Fatalf("%q was appended as %q, then as %q", b, out, third)
		}
		if !isDisplay(again.Display) {
			t.Fatalf("%q was appended as %q, with a display name without quotes", b, out)
		}
		if v, _ := n.Params.Value("tag"); !bytes.Equal(v, n.Tag()) {
			t.Fatalf("%q: the tag is %q and %q", b, v, n.Tag())
		}
		if bytes.ContainsAny(bytes.ReplaceAll(n.Raw(), []byte("\r\n"), nil), "\r\n") == false && bytes.ContainsAny(bytes.ReplaceAll(out, []byte("\r\n"), nil), "\r\n") {
			t.Fatalf("%q was appended as %q, with a line end of its own", b, out)
		}
	})
}
