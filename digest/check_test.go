package digest

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

func TestCheckRows(t *testing.T) {
	now := testTime
	a := newTestAuthenticator(Config{})

	t.Run("DG-001", func(t *testing.T) {
		want(t, check(a, now, register(t, 1, "", "Basic Ym9iOnphbnppYmFy")), None, ReasonScheme)
		want(t, check(a, now, register(t, 1, "")), None, ReasonNone)
	})
	t.Run("DG-006", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5).plain()
		r := check(a, now, register(t, 1, "", p.credentials()))
		want(t, r, Valid, "")
		if string(r.Username) != "bob" || r.Algorithm != sip.MD5 {
			t.Errorf("%s, %v", r.Username, r.Algorithm)
		}
	})
	t.Run("DG-007", func(t *testing.T) {
		whole := newPhone(t, a, now, sip.MD5).credentials()
		for _, cut := range []string{", nc=00000001", `, cnonce="0a4f113b"`} {
			want(t, check(a, now, register(t, 1, "", strings.Replace(whole, cut, "", 1))), Malformed, ReasonCount)
		}
		for _, nc := range []string{"1", "0000000g", "000000001", "-0000001"} {
			want(t, check(a, now, register(t, 1, "", strings.Replace(whole, "nc=00000001", "nc="+nc, 1))), Malformed, ReasonCount)
		}
		// Flow 2.2 of RFC 3665 as printed: qop in quotes, no nc, no cnonce.
		p := newPhone(t, a, now, sip.MD5).plain()
		want(t, check(a, now, register(t, 1, "", p.credentials()+`, qop="auth"`)), Malformed, ReasonCount)
		// The quotes alone are no fault.
		p = newPhone(t, a, now, sip.MD5)
		want(t, check(a, now, register(t, 1, "", strings.Replace(p.credentials(), "qop=auth", `qop="auth"`, 1))), Valid, "")
	})
	t.Run("DG-008", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		p.uri = "sip:bob@ss2.biloxi.example.com;transport=tcp" // not the Request-URI: a proxy on the way changed that
		r := check(a, now, register(t, 1, "", p.credentials()))
		want(t, r, Valid, "")
		p.uri = "/dir/index.html"
		want(t, check(a, now, register(t, 2, "", p.credentials())), Malformed, ReasonURI)
	})
	t.Run("DG-009", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		p.uri = "sip:evil@other.example.com"
		r := check(a, now, register(t, 1, "", p.credentials()))
		want(t, r, Valid, "")
		if string(r.URI.User) != "evil" || string(r.URI.Host) != "other.example.com" {
			t.Errorf("URI for the caller to judge: %s", r.URI.Raw())
		}
	})
	t.Run("DG-011", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		other := strings.Replace(p.credentials(), testRealm, "atlanta.example.com", 1)
		want(t, check(a, now, register(t, 1, "", other)), None, ReasonRealm)
		// Neither what cannot be read of it.
		want(t, check(a, now, register(t, 1, "", `Digest realm="atlanta.example.com", nonce="x" uri=`)), None, ReasonRealm)
	})
	t.Run("DG-013", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		late := now.Add(DefaultNonceLifetime)
		want(t, check(a, late.Add(-time.Millisecond), register(t, 1, "", p.credentials())), Valid, "")
		want(t, check(a, late, register(t, 2, "", p.credentials())), Stale, ReasonExpiredNonce)
		p = newPhone(t, a, now, sip.MD5)
		p.ch.Nonce = []byte("ea9c8e88df84f1cec4341ae6cbe5a359")
		want(t, check(a, now, register(t, 3, "", p.credentials())), Stale, ReasonForeignNonce)
	})
	t.Run("DG-014", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		p.password = "zanzibaR"
		want(t, check(a, now, register(t, 1, "", p.credentials())), Wrong, ReasonWrongPassword)
		// A nonce that will not do does not hide it.
		want(t, check(a, now.Add(DefaultNonceLifetime), register(t, 2, "", p.credentials())), Wrong, ReasonWrongPassword)
		p.ch.Nonce = []byte("ea9c8e88df84f1cec4341ae6cbe5a359")
		want(t, check(a, now, register(t, 3, "", p.credentials())), Wrong, ReasonWrongPassword)
		// A response that is no digest is wrong, not malformed: flow 2.1 of RFC 3665 prints 31 digits.
		good := newPhone(t, a, now, sip.MD5).credentials()
		i := strings.Index(good, `response="`) + len(`response="`)
		for _, response := range []string{good[i : i+31], good[i:i+31] + "x", "", good[i:i+32] + "00"} {
			want(t, check(a, now, register(t, 4, "", good[:i]+response+good[i+32:])), Wrong, ReasonWrongPassword)
		}
	})
	t.Run("DG-015", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		captured := p.credentials()
		want(t, check(a, now, register(t, 1, "", captured)), Valid, "")
		want(t, check(a, now, register(t, 2, "", captured)), Stale, ReasonReplay)
		want(t, check(a, now, register(t, 3, "", p.credentials())), Valid, "")
	})
	t.Run("DG-017", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		for _, name := range []string{"MD5-sess", "SHA-256-sess", "token"} {
			want(t, check(a, now, register(t, 1, "", strings.Replace(p.credentials(), "algorithm=MD5", "algorithm="+name, 1))), None, ReasonAlgorithm)
		}
	})
	for _, algorithm := range []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256} {
		t.Run("DG-019/"+algorithm.String(), func(t *testing.T) {
			p := newPhone(t, a, now, algorithm)
			credentials := p.credentials()
			if digits := 2 * algorithm.Size(); !strings.Contains(credentials, `algorithm=`+algorithm.String()) || strings.Index(credentials, `", algorithm`)-strings.Index(credentials, `response="`)-len(`response="`) != digits {
				t.Errorf("not %d hex digits: %s", digits, credentials)
			}
			r := a.Check(now, register(t, 1, "", credentials), sip.HeaderAuthorization, []byte(testRealm), overUDP, []sip.Algorithm{algorithm}, testUsers)
			want(t, r, Valid, "")
		})
	}
	t.Run("DG-020", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		r := a.Check(now, register(t, 1, "", p.credentials()), sip.HeaderAuthorization, []byte(testRealm), overUDP, []sip.Algorithm{sip.SHA256, sip.MD5}, testUsers)
		want(t, r, Valid, "")
	})
	t.Run("DG-021", func(t *testing.T) {
		p := newPhone(t, a, now, sip.SHA512_256)
		r := a.Check(now, register(t, 1, "", p.credentials()), sip.HeaderAuthorization, []byte(testRealm), overUDP, []sip.Algorithm{sip.SHA256, sip.MD5}, testUsers)
		want(t, r, None, ReasonAlgorithm)
	})
	t.Run("DG-023", func(t *testing.T) {
		a := newTestAuthenticator(Config{AuthInt: true})
		p := newPhone(t, a, now, sip.MD5)
		p.ch.QOP = []byte("auth-int")
		want(t, check(a, now, register(t, 1, "", p.credentials())), Valid, "")
		p.body = "v=0\r\n"
		want(t, check(a, now, register(t, 2, "v=0\r\n", p.credentials())), Valid, "")
		want(t, check(a, now, register(t, 3, "v=1\r\n", p.credentials())), Wrong, ReasonWrongPassword)
		// It is refused where it is not offered.
		want(t, check(newTestAuthenticator(Config{}), now, register(t, 4, "", p.credentials())), None, ReasonQOP)
	})
	t.Run("DG-028", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		other := strings.Replace(p.credentials(), testRealm, "atlanta.example.com", 1)
		want(t, check(a, now, register(t, 1, "", other, "Basic eDp5", p.credentials(), `Digest realm="chicago.example.com"`)), Valid, "")
		// Two for the realm: the one with an algorithm that is offered.
		unoffered := strings.Replace(p.credentials(), "algorithm=MD5", "algorithm=SHA-256", 1)
		want(t, check(a, now, register(t, 2, "", unoffered, p.credentials())), Valid, "")
		// One that cannot be read does not spoil one that can.
		want(t, check(a, now, register(t, 3, "", `Digest username="bob" realm="x"`, p.credentials())), Valid, "")
	})
	t.Run("DG-029", func(t *testing.T) {
		parts := strings.Split(strings.TrimPrefix(newPhone(t, a, now, sip.MD5).credentials(), "Digest "), ", ")
		var b strings.Builder
		b.WriteString("dIGEST   x-unknown=\"a,b\"")
		for i := len(parts) - 1; i >= 0; i-- {
			name, value, _ := strings.Cut(parts[i], "=")
			b.WriteString(" ,\r\n\t" + strings.ToUpper(name) + " = " + value)
		}
		// register ends its lines itself.
		folded := strings.ReplaceAll(b.String(), "\r\n", "\n")
		want(t, check(a, now, register(t, 1, "", folded)), Valid, "")
	})
	t.Run("DG-030", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		p.username, p.password = `b"ob`, "quotes"
		credentials := p.credentials()
		if !strings.Contains(credentials, `username="b\"ob"`) {
			t.Fatal(credentials)
		}
		r := check(a, now, register(t, 1, "", credentials))
		want(t, r, Valid, "")
		if string(r.Username) != `b"ob` {
			t.Errorf("username %q", r.Username)
		}
	})
	t.Run("RFC 8760 §2.7", func(t *testing.T) {
		empty := `Digest username="bob", realm="biloxi.example.com", nonce="", uri="sip:biloxi.example.com", response=""`
		want(t, check(a, now, register(t, 1, "", empty)), None, ReasonUnchallenged)
	})
	t.Run("missing parameters", func(t *testing.T) {
		whole := newPhone(t, a, now, sip.MD5).credentials()
		for part := range strings.SplitSeq(strings.TrimPrefix(whole, "Digest "), ", ") {
			name, _, _ := strings.Cut(part, "=")
			cut := strings.Replace(strings.Replace(whole, part, "", 1), ", ,", ",", 1)
			cut = strings.Replace(strings.TrimSuffix(cut, ", "), "Digest , ", "Digest ", 1)
			r := check(a, now, register(t, 1, "", cut))
			switch name {
			case "username", "nonce", "uri", "response":
				want(t, r, Malformed, ReasonMissing)
			case "realm":
				want(t, r, Malformed, ReasonSyntax)
			case "qop", "nc", "cnonce", "algorithm":
			default:
				t.Errorf("part %q", part)
			}
		}
	})
	t.Run("no comma", func(t *testing.T) {
		// Flow 2.1 F3 of RFC 3665 before erratum 4047.
		want(t, check(a, now, register(t, 1, "", `Digest username="bob", realm="biloxi.example.com" nonce="x", uri="sip:a", response="00"`)), Malformed, ReasonSyntax)
	})
	t.Run("proxy", func(t *testing.T) {
		p := newPhone(t, a, now, sip.MD5)
		req := register(t, 1, "", p.credentials())
		r := a.Check(now, req, sip.HeaderProxyAuthorization, []byte(testRealm), overUDP, nil, testUsers)
		want(t, r, None, ReasonNone)
	})
}

// An unknown user and a wrong password differ in the log's reason alone, and cost the same work.
func TestUnknownUser(t *testing.T) {
	a := newTestAuthenticator(Config{})
	asked, realm := 0, []byte(testRealm)
	users := countingUsers{&asked}
	stranger, forgetful := newPhone(t, a, testTime, sip.MD5), newPhone(t, a, testTime, sip.MD5)
	stranger.username = "carol"
	forgetful.password = "mombasa"
	t.Run("DG-031", func(t *testing.T) {
		for i, p := range []*phone{stranger, forgetful} {
			req := register(t, 1, "", p.credentials())
			r := a.Check(testTime, req, sip.HeaderAuthorization, []byte(testRealm), overUDP, nil, users)
			if r.Verdict != Wrong || r.Retransmission || asked != i+1 {
				t.Errorf("%v, asked %d times", r, asked)
			}
			n := testing.AllocsPerRun(100, func() {
				a.Check(testTime, req, sip.HeaderAuthorization, realm, overUDP, nil, testUsers)
			})
			if n > poolDrops {
				t.Errorf("%v allocations", n)
			}
		}
	})
	t.Run("a user that is not proves nothing", func(t *testing.T) {
		// Someone who knew the HA1 that stands for strangers would not get in with it.
		s := &scratch{ha1: a.stranger}
		in := answer{algorithm: sip.MD5, method: sip.Register, uri: []byte("sip:biloxi.example.com"), nonce: stranger.ch.Nonce}
		credentials := `Digest username="carol", realm="` + testRealm + `", nonce="` + string(in.nonce) + `", uri="sip:biloxi.example.com", response="`
		d := s.response(&in)
		credentials += hexOf(d[:16]) + `"`
		want(t, check(a, testTime, register(t, 9, "", credentials)), Wrong, ReasonUnknownUser)
	})
}

type countingUsers struct{ asked *int }

func (u countingUsers) HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) bool {
	*u.asked++
	return testUsers.HA1(username, realm, a, ha1)
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

// T8: what was captured once does not serve for anything else.
func TestReplay(t *testing.T) {
	t.Run("T8", func(t *testing.T) {
		t.Run("another CSeq", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			captured := newPhone(t, a, testTime, sip.MD5).credentials()
			want(t, check(a, testTime, register(t, 1, "", captured)), Valid, "")
			want(t, check(a, testTime, register(t, 2, "", captured)), Stale, ReasonReplay)
		})
		t.Run("another body", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			captured := newPhone(t, a, testTime, sip.MD5).credentials()
			want(t, check(a, testTime, register(t, 1, "one", captured)), Valid, "")
			want(t, check(a, testTime, register(t, 1, "two", captured)), Stale, ReasonReplay)
		})
		t.Run("without qop over UDP", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			captured := newPhone(t, a, testTime, sip.MD5).plain().credentials()
			want(t, check(a, testTime, register(t, 1, "", captured)), Valid, "")
			want(t, check(a, testTime, register(t, 2, "", captured)), Stale, ReasonReplay)
		})
		t.Run("captured over UDP, sent over TLS", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			captured := newPhone(t, a, testTime, sip.MD5).plain().credentials()
			want(t, check(a, testTime, register(t, 1, "", captured)), Valid, "")
			want(t, checkSecure(a, testTime, register(t, 2, "", captured)), Stale, ReasonReplay)
		})
		t.Run("without qop over TLS", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			p := newPhone(t, a, testTime, sip.MD5).plain()
			for cseq := range 3 {
				r := checkSecure(a, testTime.Add(time.Hour), register(t, cseq, "", p.credentials()))
				want(t, r, Valid, "")
				if r.Retransmission {
					t.Error("a new request is taken for a retransmission")
				}
			}
			want(t, checkSecure(a, testTime.Add(DefaultNonceLifetime), register(t, 4, "", p.credentials())), Stale, ReasonExpiredNonce)
		})
		t.Run("a retransmission is no replay", func(t *testing.T) {
			for _, plain := range []bool{false, true} {
				a := newTestAuthenticator(Config{})
				p := newPhone(t, a, testTime, sip.MD5)
				if plain {
					p.plain()
				}
				req := register(t, 1, "", p.credentials())
				for i, after := range []time.Duration{0, 500 * time.Millisecond, rememberFor - time.Millisecond} {
					r := check(a, testTime.Add(after), req)
					want(t, r, Valid, "")
					if r.Retransmission != (i > 0) {
						t.Errorf("plain %v, after %v: retransmission %v", plain, after, r.Retransmission)
					}
				}
				// By then a binding may have been removed, and its tombstone too.
				want(t, check(a, testTime.Add(rememberFor), req), Stale, ReasonReplay)
			}
		})
		t.Run("the two last are remembered", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			p := newPhone(t, a, testTime, sip.MD5)
			var sent []*sip.Request
			for cseq := range 3 {
				sent = append(sent, register(t, cseq, "", p.credentials()))
				want(t, check(a, testTime, sent[cseq]), Valid, "")
			}
			want(t, check(a, testTime, sent[0]), Stale, ReasonReplay)
			want(t, check(a, testTime, sent[1]), Valid, "")
			want(t, check(a, testTime, sent[2]), Valid, "")
		})
		t.Run("a retransmission outlives the nonce", func(t *testing.T) {
			a := newTestAuthenticator(Config{})
			p := newPhone(t, a, testTime, sip.MD5)
			end := testTime.Add(DefaultNonceLifetime)
			req := register(t, 1, "", p.credentials())
			want(t, check(a, end.Add(-time.Second), req), Valid, "")
			want(t, check(a, end.Add(time.Second), req), Valid, "")
			want(t, check(a, end.Add(time.Second), register(t, 2, "", p.credentials())), Stale, ReasonExpiredNonce)
		})
	})
}

// A nonce is good for one Authenticator, even if another has the same secret: that one does not know what
// it was used for.
func TestSecretUsedTwice(t *testing.T) {
	before, after := newTestAuthenticator(Config{}), newTestAuthenticator(Config{})
	captured := newPhone(t, before, testTime, sip.MD5).credentials()
	want(t, check(before, testTime, register(t, 1, "", captured)), Valid, "")
	want(t, check(after, testTime, register(t, 2, "", captured)), Stale, ReasonForeignNonce)
}

// The clock of nonces is the monotonic one.
func TestWallClockStep(t *testing.T) {
	a := newTestAuthenticator(Config{})
	now := time.Now()
	p := newPhone(t, a, now, sip.MD5)
	want(t, check(a, now.Add(time.Hour), register(t, 1, "", p.credentials())), Valid, "")
	// A time before the first counts as the first.
	want(t, check(a, now.Add(-time.Hour), register(t, 2, "", p.credentials())), Valid, "")
}

func TestCheckAllocations(t *testing.T) {
	a := newTestAuthenticator(Config{AuthInt: true})
	realm, algorithms := []byte(testRealm), []sip.Algorithm{sip.MD5, sip.SHA256, sip.SHA512_256}
	for _, algorithm := range algorithms {
		p := newPhone(t, a, testTime, algorithm)
		var requests []*sip.Request
		for cseq := range 102 {
			requests = append(requests, register(t, cseq, "", p.credentials()))
		}
		i := 0
		n := testing.AllocsPerRun(100, func() {
			if r := a.Check(testTime, requests[i], sip.HeaderAuthorization, realm, overUDP, algorithms, testUsers); r.Verdict != Valid || r.Retransmission {
				t.Fatalf("%v: %+v", algorithm, r)
			}
			i++
		})
		if n > poolDrops {
			t.Errorf("%v: %v allocations for a check", algorithm, n)
		}
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		a.AppendChallenge(buf, testTime, sip.HeaderWWWAuthenticate, realm, algorithms, true)
	}); n > poolDrops {
		t.Errorf("%v allocations for a challenge", n)
	}
}
