package digest

import (
	"testing"

	"biloxi/sip"
)

// FuzzCheck sends any Authorization value. The oracle: what was made with one password, or with none, lets
// nobody in where the passwords are others.
func FuzzCheck(f *testing.F) {
	a := newTestAuthenticator(Config{AuthInt: true, Algorithms: []sip.Algorithm{sip.MD5, sip.SHA256}})
	counted, plain := newPhone(f, a, testTime, sip.MD5), newPhone(f, a, testTime, sip.SHA256).plain()
	f.Add([]byte(counted.credentials()))
	f.Add([]byte(plain.credentials()))
	others := people{"bob": "not zanzibar", `b"ob`: "not quotes", "alice": "not wonderland"}
	f.Add([]byte(`Digest username="b\"ob", realm="biloxi.example.com", nonce="", uri="", response=""`))
	f.Add([]byte(`Digest username=bob,realm=biloxi.example.com,nonce=x,uri=sip:a,response=00,qop="auth-int",nc=00000001,cnonce=x`))
	f.Add([]byte("Basic eDp5"))
	f.Fuzz(func(t *testing.T, value []byte) {
		text := append([]byte("REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nAuthorization: "), value...)
		text = append(text, "\r\n\r\n"...)
		var m sip.Message
		if m.Parse(text) != nil {
			return
		}
		var req sip.Request
		if req.Decode(&m) != nil {
			return
		}
		for _, flow := range []sip.Flow{overUDP, overTLS} {
			r := a.Check(testTime, &req, sip.HeaderAuthorization, []byte(testRealm), flow, nil, testUsers)
			if (r.Verdict == Valid) != (r.Reason == "") {
				t.Fatalf("%v has reason %q", r.Verdict, r.Reason)
			}
			r = a.Check(testTime, &req, sip.HeaderAuthorization, []byte(testRealm), flow, nil, others)
			if r.Verdict == Valid || r.Verdict == Stale {
				t.Fatalf("%v for %q", r, value)
			}
		}
	})
}
