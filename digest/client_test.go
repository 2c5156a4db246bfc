package digest

import (
	"testing"

	"biloxi/sip"
)

func TestAppendAuthorization(t *testing.T) {
	ch, _, err := sip.ParseChallenge([]byte(`Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`))
	if err != nil {
		t.Fatal(err)
	}
	got := string(AppendAuthorization(nil, sip.HeaderProxyAuthorization, "GET", []byte("/dir/index.html"), ch, []byte("Mufasa"), []byte("Circle Of Life"), 1, []byte("0a4f113b"), nil))
	want := `Proxy-Authorization: Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", ` +
		`response="6629fae49393a05397450978507c4ef1", qop=auth, nc=00000001, cnonce="0a4f113b", opaque="5ccc069c403ebaf9f0171e9517f40e41"` + "\r\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCanAnswer(t *testing.T) {
	for value, want := range map[string]bool{
		`Digest realm="r", nonce="n"`:                                        true,
		`Digest realm="r", nonce="n", algorithm=sha-256, qop="auth"`:         true,
		`Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth-int"`: true,
		`Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"`:        false,
		`Digest realm="r", nonce="n", qop="token"`:                           false,
		`Digest realm="r", nonce="n", qop="token , AUTH"`:                    true,
		`Digest realm="r"`: false,
		`Digest nonce="n"`: false,
	} {
		ch, _, err := sip.ParseChallenge([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		line := AppendAuthorization([]byte("x"), sip.HeaderAuthorization, sip.Register, []byte("sip:a"), ch, []byte("u"), []byte("p"), 1, []byte("c"), nil)
		if CanAnswer(ch) != want || (len(line) > 1) != want {
			t.Errorf("%s: can answer %v, wrote %q", value, CanAnswer(ch), line)
		}
	}
}
