package sip

import (
	"reflect"
	"strings"
	"testing"
)

const challengeExample = `Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth,auth-int", nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5`

func TestChallenge(t *testing.T) {
	c, digest, err := ParseChallenge([]byte(challengeExample))
	if err != nil || !digest || string(c.Realm) != "atlanta.com" || string(c.Domain) != "sip:boxesbybob.com" || string(c.QOP) != "auth,auth-int" ||
		string(c.Nonce) != "f84f1cec41e6cbe5aea9c8e88d359" || c.Opaque == nil || len(c.Opaque) != 0 || string(c.Stale) != "FALSE" || string(c.Algorithm) != "MD5" {
		t.Errorf("%+v %v %v", c, digest, err)
	}
	full := `Digest realm="r", domain="d", nonce="n", opaque="o", stale=true, algorithm=SHA-256, qop="auth", charset=UTF-8, userhash=false`
	if c, _, err := ParseChallenge([]byte(full)); err != nil || string(c.Append(nil)) != full {
		t.Errorf("%s, %v", c.Append(nil), err)
	}
	cut(challengeExample, func(b []byte) { ParseChallenge(b) })
	if _, digest, err := ParseChallenge([]byte("Basic realm=\"x\"")); digest || err != nil {
		t.Errorf("another scheme: %v %v", digest, err)
	}
	for _, in := range []string{`Digest realm="a",|Realm="b"`, `Digest realm="a", |charset="UTF-8`} {
		before, after, _ := strings.Cut(in, "|")
		if _, digest, err := ParseChallenge([]byte(before + after)); !digest || offset(err) != len(before) {
			t.Errorf("%q: %v %v", in, digest, err)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add([]byte(challengeExample))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, digest, err := ParseChallenge(b)
		if err != nil || !digest {
			return
		}
		out := c.Append(nil)
		if again, _, err := ParseChallenge(out); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%q was appended as %q: %v", b, out, err)
		}
	})
}
