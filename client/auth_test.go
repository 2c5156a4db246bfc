package client

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"biloxi/sip"
)

func challenge(header, realm, nonce, more string) string {
	return fmt.Sprintf(`%s: Digest realm="%s", nonce="%s"%s`, header, realm, nonce, more)
}

func TestStrongestAlgorithmIsTaken(t *testing.T) {
	const www = "WWW-Authenticate"
	for _, test := range []struct {
		offers []string
		want   string // algorithm and qop of the answer; empty: none
	}{
		{[]string{`, algorithm=MD5, qop="auth"`, `, algorithm=SHA-512-256, qop="auth"`, `, algorithm=SHA-256, qop="auth"`}, "SHA-512-256 auth"},
		{[]string{`, algorithm=SHA-256, qop="auth"`, `, algorithm=MD5, qop="auth"`}, "SHA-256 auth"},
		{[]string{`, algorithm=SHA-512-256-sess, qop="auth"`, `, algorithm=X`, `, algorithm=md5`}, "MD5 "},
		{[]string{``}, " "},
		{[]string{`, qop="auth-int"`}, " auth-int"},
		{[]string{`, algorithm=SHA-256, qop="auth-conf"`, `, algorithm=MD5, qop="auth-conf, auth"`}, "MD5 auth"},
		{[]string{`, algorithm=SHA-256, qop="auth-conf"`}, ""},
		{[]string{`, algorithm="MD5-sess"`}, ""},
	} {
		u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
			if r.field("Authorization") != "" {
				return [][]byte{r.answer("200 OK")}
			}
			lines := []string{www + ": Basic realm=\"x\"", www + ": Digest realm=\"broken"}
			for i, offer := range test.offers {
				lines = append(lines, challenge(www, "biloxi", fmt.Sprint("n", i), offer))
			}
			return [][]byte{r.answer("401 Unauthorized", lines...)}
		})
		c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
		res, err := c.Query(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if test.want == "" {
			if !errors.Is(res.Err(), ErrChallenge) || res.Requests != 1 {
				t.Errorf("%q: %+v", test.offers, res)
			}
			continue
		}
		value := u.requests()[1].field("Authorization")
		got := credentials(value)
		if got["algorithm"]+" "+got["qop"] != test.want {
			t.Errorf("%q was answered %s", test.offers, value)
		}
		if got["qop"] != "auth-int" && !isRight("REGISTER", value, "bob", "zanzibar") {
			t.Errorf("the response is wrong: %s", value)
		}
	}
}

// nonces answers 401 until the credentials have the nonce that accepted names; each challenge says what
// more gives for its number.
func nonces(accepted string, more func(n int) string) script {
	return func(n int, r *seenRequest) [][]byte {
		if credentials(r.field("Authorization"))["nonce"] == accepted {
			return [][]byte{r.answer("200 OK")}
		}
		return [][]byte{r.answer("401 Unauthorized", challenge("WWW-Authenticate", "biloxi", fmt.Sprint("nonce", n), more(n)))}
	}
}

func TestChallengesWithoutEnd(t *testing.T) {
	const stale, fresh = `, qop="auth", stale=TRUE`, `, qop="auth"`
	for _, test := range []struct {
		name     string
		accepted string
		more     func(n int) string
		requests int
		cause    error
	}{
		{"first stale", "nonce2", func(n int) string { return []string{fresh, stale}[n-1] }, 3, nil},
		{"stale at once", "nonce1", func(int) string { return stale }, 2, nil},
		{"always stale", "none", func(int) string { return stale }, 2, ErrStale},
		{"stale after fresh, for ever", "none", func(n int) string { return []string{fresh, stale, stale}[n-1] }, 3, ErrStale},
		{"wrong password", "none", func(int) string { return fresh }, 2, ErrWrongPassword},
		{"stale, then wrong", "none", func(n int) string { return []string{fresh, stale, fresh}[n-1] }, 3, ErrWrongPassword},
	} {
		t.Run(test.name, func(t *testing.T) {
			u := newUAS(t, sip.UDP, nil, nonces(test.accepted, test.more))
			c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
			res, err := c.Query(ctx)
			if err != nil || !errors.Is(res.Err(), test.cause) || res.Requests != test.requests || len(u.requests()) != test.requests {
				t.Errorf("%d requests: %+v, %v", len(u.requests()), res, err)
			}
		})
	}
}

func TestChallengeWithoutPassword(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, registrarScript)
	c, err := New(Config{AOR: "sip:bob@biloxi.example.com", Server: u.uri(sip.UDP)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	res, err := c.Query(t.Context())
	if err != nil || res.Status != 401 || !errors.Is(res.Err(), ErrNoPassword) || res.Requests != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// A server that has started anew does not know its nonce, and may not know that it is stale.
func TestNonceOfAnEarlierCallIsForgotten(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
		good := "nonce1"
		if n > 2 {
			good = "nonce3"
		}
		return nonces(good, func(int) string { return `, qop="auth"` })(n, r)
	})
	c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
	if res, err := c.Query(ctx); err != nil || !res.OK() || res.Requests != 2 {
		t.Fatalf("%+v, %v", res, err)
	}
	res, err := c.Query(ctx)
	if err != nil || !res.OK() || res.Requests != 2 {
		t.Fatalf("%+v, %v", res, err)
	}
	if got := credentials(u.requests()[3].field("Authorization")); got["nonce"] != "nonce3" || got["nc"] != "00000001" {
		t.Errorf("%v", got)
	}
}

// RFC 3261 §22.3: a proxy on the way and the registrar each have their realm.
func TestProxyAndRegistrarChallenge(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
		if !isRight("REGISTER", r.field("Proxy-Authorization"), "bob", "zanzibar") {
			return [][]byte{r.answer("407 Proxy Authentication Required",
				challenge("Proxy-Authenticate", "proxy", "p1", `, qop="auth", algorithm=SHA-256`),
				challenge("Proxy-Authenticate", "proxy", "p1", `, qop="auth"`))}
		}
		return registrarScript(n, r)
	})
	c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
	res, err := c.Register(ctx, bobsContact)
	if err != nil || !res.OK() || res.Requests != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	last := u.requests()[2]
	if a, p := credentials(last.field("Authorization")), credentials(last.field("Proxy-Authorization")); a["realm"] != "atlanta.example.com" ||
		a["nc"] != "00000001" || p["realm"] != "proxy" || p["nc"] != "00000002" || p["algorithm"] != "SHA-256" {
		t.Error(last.raw)
	}
	if strings.Contains(last.raw, "zanzibar") {
		t.Error("the password went over the wire")
	}
}

// Realms without end do not fill the memory, nor the request.
func TestRealmsWithoutEnd(t *testing.T) {
	u := newUAS(t, sip.UDP, nil, func(n int, r *seenRequest) [][]byte {
		var lines []string
		for i := range 20 {
			lines = append(lines, challenge("WWW-Authenticate", fmt.Sprint("realm", n, ".", i), "n", ""))
		}
		return [][]byte{r.answer("401 Unauthorized", lines...)}
	})
	c, ctx := newClient(t, Config{Server: u.uri(sip.UDP)})
	res, err := c.Query(ctx)
	if err != nil || !errors.Is(res.Err(), ErrTooMany) || res.Requests != maxRequests || len(c.logins.known) != maxLogins {
		t.Errorf("%+v, %v; %d logins", res, err, len(c.logins.known))
	}
}

func TestUsername(t *testing.T) {
	for _, test := range []struct{ aor, username, want string }{
		{"sip:bo%62@biloxi.example.com", "", "bob"},
		{"sip:bob@biloxi.example.com", "robert", "robert"},
	} {
		u := newUAS(t, sip.UDP, nil, registrarScript)
		c, ctx := newClient(t, Config{AOR: test.aor, Username: test.username, Server: u.uri(sip.UDP)})
		if _, err := c.Query(ctx); err != nil {
			t.Fatal(err)
		}
		if got := u.requests()[1].field("Authorization"); !isRight("REGISTER", got, test.want, "zanzibar") {
			t.Error(got)
		}
	}
}
