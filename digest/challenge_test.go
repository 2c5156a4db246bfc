package digest

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

func TestAppendChallenge(t *testing.T) {
	a := newTestAuthenticator(Config{Algorithms: []sip.Algorithm{sip.SHA256, sip.MD5}})
	append1 := func(h sip.Header, algorithms []sip.Algorithm, stale bool) string {
		return string(a.AppendChallenge([]byte("X: y\r\n"), testTime, h, []byte(testRealm), algorithms, stale))
	}
	t.Run("DG-002", func(t *testing.T) {
		if got := append1(sip.HeaderWWWAuthenticate, nil, false); strings.Count(got, "\r\nWWW-Authenticate: Digest ") != 2 {
			t.Errorf("of a registrar: %q", got)
		}
		if got := append1(sip.HeaderProxyAuthenticate, nil, false); strings.Count(got, "\r\nProxy-Authenticate: Digest ") != 2 {
			t.Errorf("of a proxy: %q", got)
		}
	})
	t.Run("DG-005", func(t *testing.T) {
		got := append1(sip.HeaderWWWAuthenticate, []sip.Algorithm{sip.MD5}, false)
		want := `X: y` + "\r\n" + `WWW-Authenticate: Digest realm="biloxi.example.com", nonce="` + strings.Repeat("N", nonceChars) + `", qop="auth", algorithm=MD5` + "\r\n"
		from := strings.Index(got, `nonce="`) + len(`nonce="`)
		if masked := got[:from] + strings.Repeat("N", nonceChars) + got[from+nonceChars:]; masked != want {
			t.Errorf("got  %q\nwant %q", masked, want)
		}
	})
	t.Run("DG-018", func(t *testing.T) {
		var got []string
		for _, ch := range challenges(t, a.AppendChallenge(nil, testTime, sip.HeaderWWWAuthenticate, []byte(testRealm), nil, false)) {
			got = append(got, string(ch.Algorithm))
		}
		if strings.Join(got, " ") != "SHA-256 MD5" {
			t.Errorf("challenges in order %v", got)
		}
	})
	t.Run("DG-014", func(t *testing.T) {
		one := challenges(t, []byte(append1(sip.HeaderWWWAuthenticate, nil, false)[6:]))[0]
		two := challenges(t, []byte(append1(sip.HeaderWWWAuthenticate, nil, false)[6:]))[0]
		if string(one.Nonce) == string(two.Nonce) || one.Stale != nil {
			t.Errorf("nonces %q %q, stale %q", one.Nonce, two.Nonce, one.Stale)
		}
	})
	t.Run("DG-013", func(t *testing.T) {
		if got := append1(sip.HeaderWWWAuthenticate, nil, true); strings.Count(got, ", stale=TRUE\r\n") != 2 {
			t.Errorf("stale challenge: %q", got)
		}
	})
	t.Run("auth-int", func(t *testing.T) {
		a := newTestAuthenticator(Config{AuthInt: true})
		ch := challenges(t, a.AppendChallenge(nil, testTime, sip.HeaderWWWAuthenticate, []byte(testRealm), nil, false))
		if len(ch) != 1 || string(ch[0].QOP) != "auth,auth-int" || string(ch[0].Algorithm) != "MD5" {
			t.Errorf("%+v", ch)
		}
	})
	t.Run("realm with a quote", func(t *testing.T) {
		ch := challenges(t, a.AppendChallenge(nil, testTime, sip.HeaderWWWAuthenticate, []byte(`a"b\c`), nil, false))
		if string(ch[0].Realm) != `a\"b\\c` {
			t.Errorf("realm %q", ch[0].Realm)
		}
	})
}

func TestNonce(t *testing.T) {
	a := newTestAuthenticator(Config{})
	s := borrow()
	defer s.release()
	realm := []byte(testRealm)
	t.Run("DG-016", func(t *testing.T) {
		seen, stranger := map[string]bool{}, New(Config{MaxNonces: 1}, &[32]byte{9})
		for range 1000 {
			nonce := a.appendNonce(nil, s, a.clock(testTime), realm)
			if len(nonce) != nonceChars || seen[string(nonce)] || seen[string(nonce[16:])] {
				t.Fatalf("nonce %q, or its code, is not new", nonce)
			}
			seen[string(nonce)], seen[string(nonce[16:])] = true, true
			if _, ok := a.openNonce(s, nonce, realm); !ok {
				t.Fatalf("own nonce %q refused", nonce)
			}
			if _, ok := a.openNonce(s, nonce, []byte("other.example.com")); ok {
				t.Fatal("a nonce serves in another realm")
			}
			if _, ok := stranger.openNonce(s, nonce, realm); ok {
				t.Fatal("a nonce serves under another key")
			}
		}
	})
	t.Run("every character counts", func(t *testing.T) {
		nonce := a.appendNonce(nil, s, a.clock(testTime), realm)
		for i := range nonce {
			for _, c := range []byte("A_9-z\r\n\x00=") {
				forged := []byte(string(nonce))
				if forged[i] == c {
					continue
				}
				forged[i] = c
				if _, ok := a.openNonce(s, forged, realm); ok {
					t.Fatalf("%q is taken for %q", forged, nonce)
				}
			}
		}
	})
	t.Run("time", func(t *testing.T) {
		clock := a.clock(testTime.Add(90 * time.Minute))
		m, ok := a.openNonce(s, a.appendNonce(nil, s, clock, realm), realm)
		if !ok || m.at != clock {
			t.Errorf("made at %d, want %d", m.at, clock)
		}
	})
}

func FuzzOpenNonce(f *testing.F) {
	a := newTestAuthenticator(Config{})
	s := borrow()
	made := map[string]bool{}
	for range 4 {
		n := a.appendNonce(nil, s, a.clock(testTime), []byte(testRealm))
		made[string(n)] = true
		f.Add(n)
		f.Add(n[1:])
		f.Add(append(n[:len(n):len(n)], '='))
	}
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		// The oracle: nothing is ours but what was made, byte by byte.
		if _, ok := a.openNonce(s, text, []byte(testRealm)); ok != made[string(text)] {
			t.Fatalf("%q: ours %v, made %v", text, ok, made[string(text)])
		}
	})
}
