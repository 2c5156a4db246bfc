package sip

import (
	"strings"
	"testing"
)

func TestURI(t *testing.T) {
	for _, row := range []struct {
		in         string
		scheme     Scheme
		user, pass string
		host       string
		port       uint16
		params     string
		headers    string
	}{
		// RFC 3261 §19.1.3
		{"sip:alice@atlanta.com", SchemeSIP, "alice", "", "atlanta.com", 0, "", ""},
		{"sip:alice:secretword@atlanta.com;transport=tcp", SchemeSIP, "alice", "secretword", "atlanta.com", 0, ";transport=tcp", ""},
		{"sips:alice@atlanta.com?subject=project%20x&priority=urgent", SchemeSIPS, "alice", "", "atlanta.com", 0, "", "subject=project%20x&priority=urgent"},
		{"sip:+1-212-555-1212:1234@gateway.com;user=phone", SchemeSIP, "+1-212-555-1212", "1234", "gateway.com", 0, ";user=phone", ""},
		{"sips:1212@gateway.com", SchemeSIPS, "1212", "", "gateway.com", 0, "", ""},
		{"sip:alice@192.0.2.4", SchemeSIP, "alice", "", "192.0.2.4", 0, "", ""},
		{"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", SchemeSIP, "", "", "atlanta.com", 0, ";method=REGISTER", "to=alice%40atlanta.com"},
		{"sip:alice;day=tuesday@atlanta.com", SchemeSIP, "alice;day=tuesday", "", "atlanta.com", 0, "", ""},
		// IPv6, ports, case, what only parameters may have
		{"SIPS:a@[2001:db8::1]:65535;lr", SchemeSIPS, "a", "", "[2001:db8::1]", 65535, ";lr", ""},
		{"sip:[::1]", SchemeSIP, "", "", "[::1]", 0, "", ""},
		{"sip:a@h;p=[/:&+$];q", SchemeSIP, "a", "", "h", 0, ";p=[/:&+$];q", ""},
		{"sip:a@h.;x=%3b%3B", SchemeSIP, "a", "", "h.", 0, ";x=%3b%3B", ""},
		{"sip:a:@h", SchemeSIP, "a", "", "h", 0, "", ""},
		{"sip:%00@h?a=&b=", SchemeSIP, "%00", "", "h", 0, "", "a=&b="},
		// What phones leave empty, or as it is
		{"sip:a@h;", SchemeSIP, "a", "", "h", 0, ";", ""},
		{"sip:a@h;pn-tok=;;lr;?x=y", SchemeSIP, "a", "", "h", 0, ";pn-tok=;;lr;", "x=y"},
		{"sip:a@h;pn-tok=YQ==;lr", SchemeSIP, "a", "", "h", 0, ";pn-tok=YQ==;lr", ""},
		{"sip:zoë:ß@h;n=ü", SchemeSIP, "zoë", "ß", "h", 0, ";n=ü", ""},
		{"sip:/?;@h:05060", SchemeSIP, "/?;", "", "h", 5060, "", ""},
	} {
		u, err := ParseURI([]byte(row.in))
		if err != nil {
			t.Errorf("%s: %v", row.in, err)
			continue
		}
		if u.Scheme != row.scheme || string(u.User) != row.user || string(u.Password) != row.pass ||
			string(u.Host) != row.host || u.Port != row.port || string(u.Params) != row.params || string(u.Headers) != row.headers {
			t.Errorf("%s: %+v", row.in, u)
		}
		if got := string(u.Append(nil)); got != row.in && u.Port != 5060 {
			t.Errorf("%s is appended as %s", row.in, got)
		}
		if string(u.Raw()) != row.in || !u.IsSIP() || u.IsZero() {
			t.Errorf("%s: raw %q", row.in, u.Raw())
		}
		cut(row.in, func(b []byte) { ParseURI(b) })
	}
}

// TestURIError gives what is wrong behind a bar, which is not part of the URI.
func TestURIError(t *testing.T) {
	for _, in := range []string{
		"|", "|sip", "|:a@h", "|3sip:a@h", "sip:|", "sip:a@|", "sip:|@h", "sip:|:p@h", "sip:a| b@h", "sip:a|\"@h", "sip:a@|@h",
		"sip:a|%4@h", "sip:a@h_| ", "sip:a@h:|", "sip:a@h:|0", "sip:a@h:|65536", "sip:a@h:|99999999999999999999",
		"sip:a@h:5060|x", "sip:|[::1", "sip:|[1.2.3.4]", "sip:|[::1%eth0]", "sip:a@h;|=v", "sip:a@h;;|,",
		"sip:a@h;p| ", "sip:a@h;p=v|@", "sip:a@h;p=1;|P=2", "sip:a@h?|", "sip:a@h?n|", "sip:a@h?|=v", "sip:a@h?n=v&|",
		"sip:a@h?n=v| ", "tel:|", "tel:1| 2", "mailto:a| b", "sip:|<a@h>", "sip:a@h|>", "sip:a:p|:q@h", "http://h/|%zz",
		"sip:2001:|db8::10",
	} {
		before, after, _ := strings.Cut(in, "|")
		if _, err := ParseURI([]byte(before + after)); offset(err) != len(before) {
			t.Errorf("%s: %v", in, err)
		}
	}
	many := "sip:a@h;p"
	for i := range MaxParams {
		many += ";" + strings.Repeat("x", i+2)
	}
	if _, err := ParseURI([]byte(many)); err == nil || !strings.Contains(err.Error(), reasonTooMany) {
		t.Errorf("%d parameters: %v", MaxParams+1, err)
	}
	if _, err := ParseURI([]byte("sip:a@h?" + strings.Repeat("a=b&", MaxParams) + "a=b")); err == nil {
		t.Errorf("%d headers are taken", MaxParams+1)
	}
}

func TestURIOther(t *testing.T) {
	for in, scheme := range map[string]string{
		"tel:+1-201-555-0123;phone-context=example.com": "tel", "mailto:bob@biloxi.example.com": "mailto", "urn:service:sos": "urn",
		"http://a.example/?x=y#z": "http", "MAILTO:a%20b@c": "MAILTO", "soap.beep://192.0.2.103:3002": "soap.beep",
		"sipx:a@h": "sipx", "si:x": "si", "im:a@b": "im",
	} {
		u, err := ParseURI([]byte(in))
		if err != nil || u.Scheme != SchemeOther || string(u.SchemeName) != scheme || string(u.Opaque) != in[len(scheme)+1:] {
			t.Errorf("%s: %+v, %v", in, u, err)
		}
		if string(u.Append(nil)) != in || u.IsSIP() {
			t.Errorf("%s is appended as %s", in, u.Append(nil))
		}
		cut(in, func(b []byte) { ParseURI(b) })
	}
}

func FuzzURI(f *testing.F) {
	for _, s := range []string{"sip:alice:secretword@atlanta.com;transport=tcp?subject=project%20x&priority=urgent", "sips:[2001:db8::1]:5061;lr",
		"tel:+1-201-555-0123", "sip:a;b?c/@h:1;p=[/:&+$]", "sip:%00@[2001:db8:::192.0.2.1]"} {
		f.Add([]byte(s))
	}
	corpus(f, func(b []byte) {
		var m Message
		m.Parse(b)
		if m.IsRequest() {
			f.Add(m.RequestURI())
		}
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := ParseURI(b)
		if err != nil {
			if at := offset(err); at < 0 || at > len(b) {
				t.Fatalf("%q: offset %d of %d", b, at, len(b))
			}
			return
		}
		if !u.Equal(u) {
			t.Fatalf("%q is not equal to itself", b)
		}
		out := u.Append(nil)
		again, err := ParseURI(out)
		if err != nil {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
		if !u.Equal(again) || !again.Equal(u) {
			t.Fatalf("%q was appended as %q, which is not equal", b, out)
		}
		if third := again.Append(nil); string(third) != string(out) {
			t.Fatalf("%q was appended as %q, then as %q", b, out, third)
		}
	})
}
