package digest

import (
	"fmt"
	"testing"

	"biloxi/sip"
)

// storedUsers has the HA1s ready, as the server's cache has.
type storedUsers struct{ ha1 [4][32]byte }

func (u *storedUsers) HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) bool {
	if string(username) != "bob" {
		return false
	}
	*ha1 = u.ha1[a]
	return true
}

func newStoredUsers() *storedUsers {
	u := new(storedUsers)
	for a := sip.MD5; a <= sip.SHA512_256; a++ {
		HA1(a, []byte("bob"), []byte(testRealm), []byte("zanzibar"), &u.ha1[a])
	}
	return u
}

// BenchmarkCheck checks refreshes of one phone, each with the next nc. The request is written over in
// place, so that it is in the processor's cache as one that was just parsed.
func BenchmarkCheck(b *testing.B) {
	users := newStoredUsers()
	realm := []byte(testRealm)
	for _, algorithm := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		b.Run(algorithm.String(), func(b *testing.B) {
			a := newTestAuthenticator(Config{MaxNonces: 1})
			algorithms := []sip.Algorithm{algorithm}
			p := newPhone(b, a, testTime, algorithm)
			req := register(b, 1, "", p.credentials())
			value, _ := req.Value(sip.HeaderAuthorization)
			c, _, _ := sip.ParseCredentials(value)
			var counts, responses [4096][]byte
			for i := range counts {
				next, _, _ := sip.ParseCredentials([]byte(p.credentials()))
				counts[i], responses[i] = next.NC, next.Response
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				i %= len(counts)
				if i == 0 {
					clear(a.window.shards[0].sets)
				}
				copy(c.NC, counts[i])
				copy(c.Response, responses[i])
				r := a.Check(testTime, req, sip.HeaderAuthorization, realm, overUDP, algorithms, users)
				if r.Verdict != Valid || r.Retransmission {
					b.Fatal(fmt.Sprint(r.Verdict, r.Reason))
				}
			}
		})
	}
}

// BenchmarkWrong shows that an unknown user costs what a wrong password does.
func BenchmarkWrong(b *testing.B) {
	users := newStoredUsers()
	realm := []byte(testRealm)
	a := newTestAuthenticator(Config{})
	for _, username := range []string{"bob", "eve"} {
		b.Run(username, func(b *testing.B) {
			p := newPhone(b, a, testTime, sip.MD5)
			p.username, p.password = username, "wrong"
			req := register(b, 1, "", p.credentials())
			b.ReportAllocs()
			for b.Loop() {
				if r := a.Check(testTime, req, sip.HeaderAuthorization, realm, overUDP, nil, users); r.Verdict != Wrong {
					b.Fatal(r.Verdict)
				}
			}
		})
	}
}

func BenchmarkAppendChallenge(b *testing.B) {
	a := newTestAuthenticator(Config{})
	buf, realm := make([]byte, 0, 512), []byte(testRealm)
	b.ReportAllocs()
	for b.Loop() {
		a.AppendChallenge(buf, testTime, sip.HeaderWWWAuthenticate, realm, nil, false)
	}
}
