package digest

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// What the tests share: a realm with the users bob and b"ob, and a phone that answers challenges.

// The flows that requests come over.
var (
	overUDP = sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.222:5060"), Remote: netip.MustParseAddrPort("192.0.2.201:5060")}
	overTLS = sip.Flow{Transport: sip.TLS, Local: netip.MustParseAddrPort("192.0.2.222:5061"), Remote: netip.MustParseAddrPort("192.0.2.201:40001"), Serial: 7}
)

const testRealm = "biloxi.example.com"

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// people has passwords by username; every realm and algorithm is theirs.
type people map[string]string

var testUsers = people{"bob": "zanzibar", `b"ob`: "quotes", "alice": "wonderland"}

func (p people) HA1(username, realm []byte, a sip.Algorithm, ha1 *[32]byte) bool {
	password, ok := p[string(username)]
	if ok {
		HA1(a, username, realm, []byte(password), ha1)
	}
	return ok
}

func newTestAuthenticator(cfg Config) *Authenticator {
	return New(cfg, &[32]byte{1, 2, 3, 17: 4})
}

// parseRequest reads a request whose lines end in LF in the test's source.
func parseRequest(t testing.TB, lines, body string) *sip.Request {
	t.Helper()
	text := strings.ReplaceAll(lines, "\n", "\r\n") + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body)) + body
	m, req := new(sip.Message), new(sip.Request)
	if err := m.Parse([]byte(text)); err != nil {
		t.Fatalf("Parse: %v\n%s", err, text)
	}
	if err := req.Decode(m); err != nil {
		t.Fatalf("Decode: %v\n%s", err, text)
	}
	return req
}

// register is a REGISTER of bob with those Authorization values and body.
func register(t testing.TB, cseq int, body string, values ...string) *sip.Request {
	t.Helper()
	lines := fmt.Sprintf(`REGISTER sip:biloxi.example.com SIP/2.0
Via: SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds%d
Max-Forwards: 70
From: Bob <sip:bob@biloxi.example.com>;tag=a73kszlfl
To: Bob <sip:bob@biloxi.example.com>
Call-ID: 1j9FpLxk3uxtm8tn@biloxi.example.com
CSeq: %d REGISTER
Contact: <sip:bob@client.biloxi.example.com>
`, cseq, cseq)
	for _, v := range values {
		lines += "Authorization: " + v + "\n"
	}
	return parseRequest(t, lines, body)
}

// challenges reads what AppendChallenge made.
func challenges(t testing.TB, lines []byte) (list []sip.Challenge) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(lines, []byte("\r\n")), []byte("\r\n")) {
		_, value, _ := bytes.Cut(line, []byte(": "))
		ch, isDigest, err := sip.ParseChallenge(value)
		if err != nil || !isDigest {
			t.Fatalf("%q: digest %v, %v", line, isDigest, err)
		}
		list = append(list, ch)
	}
	return list
}

// phone answers challenges as bob does, unless its fields say otherwise.
type phone struct {
	username, password string
	uri                string
	method             sip.Method
	body               string
	nc                 uint32
	ch                 sip.Challenge
}

func newPhone(t testing.TB, a *Authenticator, now time.Time, algorithm sip.Algorithm) *phone {
	t.Helper()
	lines := a.AppendChallenge(nil, now, sip.HeaderWWWAuthenticate, []byte(testRealm), []sip.Algorithm{algorithm}, false)
	return &phone{username: "bob", password: "zanzibar", uri: "sip:biloxi.example.com", method: sip.Register, ch: challenges(t, lines)[0]}
}

// credentials is the value of the next Authorization.
func (p *phone) credentials() string {
	p.nc++
	line := AppendAuthorization(nil, sip.HeaderAuthorization, p.method, []byte(p.uri), p.ch, []byte(p.username), []byte(p.password), p.nc, []byte("0a4f113b"), []byte(p.body))
	return strings.TrimSuffix(strings.TrimPrefix(string(line), "Authorization: "), "\r\n")
}

// plain drops qop from the challenge, so that the phone answers as one of RFC 2069.
func (p *phone) plain() *phone {
	p.ch.QOP = nil
	return p
}

// check is Check as a registrar calls it, over UDP.
func check(a *Authenticator, now time.Time, req *sip.Request) Result {
	return a.Check(now, req, sip.HeaderAuthorization, []byte(testRealm), overUDP, nil, testUsers)
}

func checkSecure(a *Authenticator, now time.Time, req *sip.Request) Result {
	return a.Check(now, req, sip.HeaderAuthorization, []byte(testRealm), overTLS, nil, testUsers)
}

// want fails the test unless the verdict and reason are those.
func want(t *testing.T, r Result, v Verdict, reason string) {
	t.Helper()
	if r.Verdict != v || r.Reason != reason {
		t.Fatalf("got %v %q, want %v %q", r.Verdict, r.Reason, v, reason)
	}
}
