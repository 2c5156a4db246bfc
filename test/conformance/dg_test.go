package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestChallenge: what a 401 says (RFC 3261 §22.1, RFC 7616 §3.3).
func TestChallenge(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"

	t.Run("DG-001", func(t *testing.T) {
		p := newPhone(t, b)
		r := p.Once(Line("Authorization: Basic dTA6dTAtc2VjcmV0"), Contact("<"+one+">")).Expect(401)
		for _, v := range r.Values("WWW-Authenticate") {
			if !strings.HasPrefix(v, "Digest ") {
				r.Fatalf("a challenge of another scheme than Digest")
			}
		}
		p.Bound()
	})
	t.Run("DG-002", func(t *testing.T) {
		newPhone(t, b).Once().Expect(401).Lacks("Proxy-Authenticate")
	})
	t.Run("DG-003", func(t *testing.T) {
		p := newPhone(t, b)
		p.Challenged()
		for _, r := range []*Response{
			p.Once(), p.Once(p.Credentials(Credentials{Password: "wrong"})), p.Once(p.Credentials(Credentials{Nonce: "old"})),
			p.Once(p.Credentials(Credentials{Username: "nosuch"})), p.Once(p.Credentials(Credentials{Realm: "other"})),
		} {
			if len(r.Expect(401).Challenges()) == 0 {
				r.Fatalf("401 without WWW-Authenticate")
			}
		}
	})
	t.Run("DG-004", func(t *testing.T) {
		for _, c := range newPhone(t, b).Once().Expect(401).Challenges() {
			if c.Realm != bed.Realm {
				t.Errorf("realm %q", c.Realm)
			}
		}
	})
	t.Run("DG-005", func(t *testing.T) {
		r := newPhone(t, b).Once().Expect(401)
		for _, v := range r.Values("WWW-Authenticate") {
			if !strings.Contains(v, `qop="auth"`) {
				r.Fatalf("no quoted qop")
			}
		}
	})
	t.Run("DG-018/TP-029", func(t *testing.T) {
		r := newPhone(t, b).Once().Expect(401)
		var algorithms []string
		for _, c := range r.Challenges() {
			algorithms = append(algorithms, c.Algorithm)
		}
		// The order is the configuration's; each challenge has a line of its own.
		if !slices.Equal(algorithms, []string{"MD5", "SHA-256"}) {
			r.Fatalf("the algorithms are %q", algorithms)
		}
	})
	t.Run("DG-016", func(t *testing.T) {
		p := newPhone(t, b)
		seen := map[string]bool{}
		for range 1000 {
			// The challenges of one answer may share a nonce.
			c, _ := first(p.Once().Expect(401))
			if seen[c.Nonce] || len(c.Nonce) < 16 {
				t.Fatalf("nonce %q", c.Nonce)
			}
			seen[c.Nonce] = true
		}
	})
	t.Run("DG-025", func(t *testing.T) {
		p := newPhone(t, b)
		first := p.Once().Expect(401)
		if second := p.Again().Expect(401); first.ToTag() != second.ToTag() || first.ToTag() == "" {
			t.Errorf("To-tags %q and %q", first.ToTag(), second.ToTag())
		}
	})
	t.Run("DG-031", func(t *testing.T) {
		p := newPhone(t, b)
		p.Challenged()
		wrong := p.Once(p.Credentials(Credentials{Password: "wrong"})).Expect(401)
		nobody := p.Once(p.Credentials(Credentials{Username: "nosuch"})).Expect(401)
		if a, b := shape(wrong), shape(nobody); a != b {
			t.Errorf("they can be told apart:\n%s\n%s", a, b)
		}
	})
	t.Run("DG-033", func(t *testing.T) {
		p := newPhone(t, b)
		p.Challenged()
		// The policy is that nobody is anonymous.
		p.Once(p.Credentials(Credentials{Username: "anonymous", Password: ""}), Contact("<"+one+">")).Expect(401)
		p.Bound()
	})
}

// shape is a response without what varies from one to the next.
func shape(r *Response) string {
	var b strings.Builder
	for i := range r.Len() {
		_, name, value := r.Field(i)
		v := string(value)
		for _, c := range r.Challenges() {
			v = strings.ReplaceAll(v, c.Nonce, "NONCE")
		}
		switch string(name) {
		case "Via", "To", "CSeq", "Call-ID":
			v = ""
		}
		b.WriteString(string(name) + ": " + v + "\n")
	}
	return string(r.Reason()) + "\n" + b.String()
}

// TestCredentials: which credentials are good (RFC 3261 §22.4, RFC 7616 §3.4).
func TestCredentials(t *testing.T) {
	b := start(t)
	const one = "sip:one@192.0.2.1"
	challenged := func(t *testing.T) *Phone {
		t.Helper()
		p := newPhone(t, b)
		p.Challenged()
		return p
	}

	t.Run("DG-006", func(t *testing.T) {
		p := challenged(t)
		p.Once(p.Credentials(Credentials{NoQOP: true}), Contact("<"+one+">")).Expect(200).Bound(one)
	})
	t.Run("DG-007", func(t *testing.T) {
		p := challenged(t)
		c := Credentials{NoQOP: true, More: ", qop=auth"}
		p.Once(p.Credentials(c), Contact("<"+one+">")).Expect(400, 401)
		c.More = `, qop=auth, nc=00000001`
		p.Once(p.Credentials(c), Contact("<"+one+">")).Expect(400, 401)
		c.More = `, qop=auth, cnonce="x"`
		p.Once(p.Credentials(c), Contact("<"+one+">")).Expect(400, 401)
		p.Bound()
	})
	t.Run("DG-008", func(t *testing.T) {
		p := challenged(t)
		p.Once(p.Credentials(Credentials{URI: "sip:" + bed.Host + ";transport=tcp"}), Contact("<"+one+">")).Expect(200).Bound(one)
	})
	t.Run("DG-009", func(t *testing.T) {
		p := challenged(t)
		p.Once(p.Credentials(Credentials{URI: "sip:evil@other.example"}), Contact("<"+one+">")).Expect(401, 403)
		p.Bound()
	})
	t.Run("DG-014", func(t *testing.T) {
		p := challenged(t)
		c, ok := first(p.Once(p.Credentials(Credentials{Password: "wrong"}), Contact("<"+one+">")).Expect(401))
		if !ok || c.Stale || c.Nonce == p.Challenge().Nonce {
			t.Errorf("the new challenge is %+v", c)
		}
		p.Bound()
	})
	t.Run("DG-015/T8", func(t *testing.T) {
		p := challenged(t)
		p.Once(p.Credentials(Credentials{Count: 1}), Contact("<"+one+">")).Expect(200)
		captured := lineOf(string(p.Sent), "Authorization")
		// With another CSeq, from the same phone and from a thief.
		for _, q := range []*Phone{p, newPhone(t, b)} {
			for _, edits := range [][]Edit{{Line(captured)}, {Line(captured), Contact("<sip:thief@192.0.2.66>"), To("<" + p.AOR() + ">")}} {
				if c, ok := first(q.Once(edits...).Expect(401)); !ok || !c.Stale {
					t.Errorf("the challenge is %+v", c)
				}
			}
		}
		// The same count with an answer of its own.
		if c, ok := first(p.Once(p.Credentials(Credentials{Count: 1})).Expect(401)); !ok || !c.Stale {
			t.Errorf("the challenge is %+v", c)
		}
		p.Once(p.Credentials(Credentials{Count: 2})).Expect(200).Bound(one)
	})
	t.Run("DG-017", func(t *testing.T) {
		p := challenged(t)
		for _, c := range p.Once().Expect(401).Challenges() {
			if strings.Contains(strings.ToLower(c.Algorithm), "sess") {
				t.Errorf("%s is offered", c.Algorithm)
			}
		}
		c := p.Challenge()
		c.Algorithm = "MD5-sess"
		p.Answer(c)
		p.Once(p.Credentials(Credentials{})).Expect(400, 401)
	})
	t.Run("DG-019", func(t *testing.T) {
		p := challenged(t)
		for _, c := range p.Once().Expect(401).Challenges() {
			p.Answer(c)
			p.Once(p.Credentials(Credentials{}), Contact("<"+one+">")).Expect(200)
			p.Once(p.Credentials(Credentials{Password: "wrong"})).Expect(401)
		}
	})
	t.Run("DG-020", func(t *testing.T) {
		p := challenged(t)
		p.Answer(p.Once().Expect(401).Challenges()[0])
		p.Once(p.Credentials(Credentials{})).Expect(200)
		p.Answer(p.Once().Expect(401).Challenges()[1])
		p.Once(p.Credentials(Credentials{})).Expect(200)
	})
	t.Run("DG-021", func(t *testing.T) {
		p := challenged(t)
		c := p.Challenge()
		c.Algorithm = "SHA-512-256"
		p.Answer(c)
		p.Once(p.Credentials(Credentials{}), Contact("<"+one+">")).Expect(401)
	})
	t.Run("DG-026", func(t *testing.T) {
		p := newPhone(t, b)
		c, _ := first(p.Once(CSeq(1), Contact("<"+one+">")).Expect(401))
		p.Answer(c)
		p.Once(CSeq(2), p.Credentials(Credentials{}), Contact("<"+one+">")).Expect(200).Bound(one)
	})
	t.Run("DG-028", func(t *testing.T) {
		p := challenged(t)
		foreign := `Authorization: Digest username="x", realm="elsewhere.example", nonce="n", uri="sip:y", response="00000000000000000000000000000000"`
		p.Once(Line(foreign), p.Credentials(Credentials{}), Contact("<"+one+">")).Expect(200)
		p.Once(p.Credentials(Credentials{}), Line(foreign)).Expect(200).Bound(one)
		p.Once(Line(foreign)).Expect(401)
	})
	t.Run("DG-029", func(t *testing.T) {
		p := challenged(t)
		c := p.Challenge()
		uri := "sip:" + bed.Domain
		response := Hash("MD5", Hash("MD5", p.User+":"+c.Realm+":"+p.Password)+":"+c.Nonce+":0000000a:cafe:auth:"+Hash("MD5", "REGISTER:"+uri))
		p.Once(Line(`authorization:   DIGEST  RESPONSE="` + response + `" ,x-new=1,` + "\r\n\t" + `QOP = auth, Nc=0000000a ,CNonce="cafe",` +
			`Uri="` + uri + `",other="a,b\"c",nonce="` + c.Nonce + `", Realm="` + c.Realm + `",USERNAME="` + p.User + `",Algorithm=md5`)).Expect(200)
	})
}

func first(r *Response) (Challenge, bool) {
	for _, c := range r.Challenges() {
		return c, true
	}
	return Challenge{}, false
}

// lineOf is the whole line of a header field.
func lineOf(message, name string) string {
	for line := range strings.SplitSeq(message, "\r\n") {
		if strings.HasPrefix(line, name+":") {
			return line
		}
	}
	return ""
}

// TestNonce: a nonce is good for a time, at one realm.
func TestNonce(t *testing.T) {
	const one = "sip:one@192.0.2.1"
	t.Run("DG-013", func(t *testing.T) {
		simulate(t, func(t *testing.T, b *bed.Bed) {
			p := newPhone(t, b)
			p.Challenged()
			p.Once(p.Credentials(Credentials{}), Contact("<"+one+">")).Expect(200)
			time.Sleep(time.Duration(b.Config.Auth.NonceLifetime) + time.Second)
			c, ok := first(p.Once(p.Credentials(Credentials{})).Expect(401))
			if !ok || !c.Stale {
				t.Errorf("an expired nonce gets %+v", c)
			}
			// With a wrong password nothing is said of the nonce.
			if c, ok := first(p.Once(p.Credentials(Credentials{Password: "wrong"})).Expect(401)); !ok || c.Stale {
				t.Errorf("a wrong password gets %+v", c)
			}
			if c, ok := first(p.Once(p.Credentials(Credentials{Nonce: "0123456789abcdef"})).Expect(401)); !ok || !c.Stale {
				t.Errorf("an unknown nonce gets %+v", c)
			}
			p.Answer(c)
			p.Once(p.Credentials(Credentials{})).Expect(200).Bound(one)
		}, func(c *config.Config) { c.Auth.NonceLifetime = config.Duration(5 * time.Minute) })
	})
}

// TestAuthInt: the body is in the digest (RFC 3261 §22.4 step 7).
func TestAuthInt(t *testing.T) {
	b := start(t, func(c *config.Config) { c.Auth.AuthInt = true })
	t.Run("DG-023", func(t *testing.T) {
		p := newPhone(t, b)
		if c, _ := first(p.Challenged()); !strings.Contains(c.QOP, "auth-int") {
			t.Errorf("qop is %q", c.QOP)
		}
		p.Once(p.Credentials(Credentials{QOP: "auth-int"}), Contact("<sip:one@192.0.2.1>")).Expect(200)
		p.Once(p.Credentials(Credentials{QOP: "auth-int"}), Line("Content-Disposition: render;handling=optional"), Body("text/plain", "hello")).Expect(200)
		p.Once(p.Credentials(Credentials{QOP: "auth"})).Expect(200)
	})
	t.Run("T8", func(t *testing.T) {
		p := newPhone(t, b)
		p.Challenged()
		body := func(text string) []Edit {
			return []Edit{Line("Content-Disposition: render;handling=optional"), Body("text/plain", text)}
		}
		p.Once(append(body("hello"), p.Credentials(Credentials{QOP: "auth-int", Count: 1}))...).Expect(200)
		captured := lineOf(string(p.Sent), "Authorization")
		p.Once(append(body("other"), Line(captured))...).Expect(401)
		p.Once(append(body("other"), Line(strings.Replace(captured, "nc=00000001", "nc=00000002", 1)))...).Expect(401)
	})
}

// TestDigestFlood: requests without credentials cost the server one answer each, and nothing that stays.
func TestDigestFlood(t *testing.T) {
	b := start(t)
	t.Run("DG-024", func(t *testing.T) {
		p := newPhone(t, b)
		const requests = 2000
		for range requests {
			p.Once(CallID(Token()), Contact("<sip:x@192.0.2.1>")).Expect(401)
		}
		before := heap()
		for range 5 * requests {
			p.Once(CallID(Token()), Contact("<sip:x@192.0.2.1>")).Expect(401)
		}
		if grown := heap() - before; grown > 2<<20 {
			t.Errorf("the heap grew by %d bytes in %d challenges", grown, 5*requests)
		}
		p.Silence(50 * time.Millisecond)
	})
}
