package sip

import (
	"reflect"
	"strings"
	"testing"
)

const digestExample = `Digest username="Alice", realm="atlanta.com", nonce="84a4cc6f3082121f32b42a2187831a9e", response="7587245234b3434cc3412213e5f113a5432"`

func TestCredentials(t *testing.T) {
	for _, row := range []struct {
		in   string
		want map[string]string
	}{
		{digestExample, map[string]string{"Username": "Alice", "Realm": "atlanta.com", "Nonce": "84a4cc6f3082121f32b42a2187831a9e", "Response": "7587245234b3434cc3412213e5f113a5432"}},
		{"dIgEsT\r\n username = \"a \\\"b\\\"\" ,\r\n URI=sip:h;x=y,qop=\"auth\",nc=00000001,cnonce=\"\",algorithm=SHA-256,opaque=\"x,y\",userhash=true,unknown=1,unknown=2",
			map[string]string{"Username": `a \"b\"`, "URI": "sip:h;x=y", "QOP": "auth", "NC": "00000001", "CNonce": "", "Algorithm": "SHA-256", "Opaque": "x,y", "UserHash": "true"}},
		{"Digest realm=\"a\",", map[string]string{"Realm": "a"}},
		// What is no parameter is passed over, what is empty is there, and what says the same twice says it.
		{`Digest stale, "x,y" ,,realm="a",=b, opaque=,nonce="n" , (x, nonce="n",`, map[string]string{"Realm": "a", "Nonce": "n", "Opaque": ""}},
	} {
		c, digest, err := ParseCredentials([]byte(row.in))
		if err != nil || !digest {
			t.Errorf("%s: %v %v", row.in, digest, err)
			continue
		}
		v := reflect.ValueOf(c)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			want, there := row.want[name]
			if got := v.Field(i).Bytes(); string(got) != want || (got != nil) != there {
				t.Errorf("%s: %s is %q, want %q", row.in, name, got, want)
			}
		}
		cut(row.in, func(b []byte) { ParseCredentials(b) })
	}
	full := `Digest username="u", realm="r", nonce="n", uri="sip:h", response="0a", algorithm=MD5, cnonce="c", opaque="", qop=auth, nc=00000001, userhash="a b"`
	if c, _, err := ParseCredentials([]byte(full)); err != nil || string(c.Append(nil)) != full {
		t.Errorf("%s, %v", c.Append(nil), err)
	}
	for _, in := range []string{"", "Basic QWxhZGRpbg==", "NoOneKnowsThisScheme opaque-data=here", "Digest", "Digestive username=\"a\""} {
		if _, digest, err := ParseCredentials([]byte(in)); digest || err != nil {
			t.Errorf("%q: %v %v", in, digest, err)
		}
	}
}

// TestCredentialsError gives the parameter that is wrong behind a bar, which is not part of the value.
func TestCredentialsError(t *testing.T) {
	for _, in := range []string{
		`Digest realm="a", |username="b`, `Digest realm="a",|realm="b"`, `Digest |realm="a" nonce="b"`,
		`Digest |realm=a"b"`, "Digest |realm=\"a\x00\"",
	} {
		before, after, _ := strings.Cut(in, "|")
		if _, digest, err := ParseCredentials([]byte(before + after)); !digest || offset(err) != len(before) {
			t.Errorf("%q: %v %v", in, digest, err)
		}
	}
	t.Run("TP-029", func(t *testing.T) {
		m := parsed(t, "Authorization: Digest realm=\"a\", nonce=\"b\"\nAuthorization: Digest realm=\"c\nProxy-Authorization: Basic x\n")
		i := m.Index(HeaderAuthorization)
		c, digest, err := m.Credentials(i)
		if err != nil || !digest || string(c.Realm) != "a" || string(c.Nonce) != "b" {
			t.Errorf("the first: %+v %v %v", c, digest, err)
		}
		_, _, err = m.Credentials(m.Next(i))
		if at := offset(err); at < 0 || string(m.buf[at:at+6]) != "realm=" || !strings.HasPrefix(err.Error(), "Authorization: ") {
			t.Errorf("the second: %v", err)
		}
		if _, digest, err := m.Credentials(m.Index(HeaderProxyAuthorization)); digest || err != nil {
			t.Errorf("the proxy's: %v %v", digest, err)
		}
	})
}

func FuzzCredentials(f *testing.F) {
	corpusValues(f, []Header{HeaderAuthorization, HeaderProxyAuthorization}, func(b []byte) { f.Add(b) })
	f.Add([]byte(digestExample))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, digest, err := ParseCredentials(b)
		if err != nil {
			if at := offset(err); at < 0 || at > len(b) {
				t.Fatalf("%q: offset %d", b, at)
			}
		}
		if err != nil || !digest {
			return
		}
		out := c.Append(nil)
		if again, _, err := ParseCredentials(out); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
	})
}
