package proxy

import (
	"strings"
	"testing"

	"biloxi/sip"
)

// receive takes a request through §16.4.
func receive(t testing.TB, text []byte) *Received {
	t.Helper()
	in := new(Received)
	if r := in.Preprocess(decode(t, text), flowFrom("UDP 192.0.2.111:5060"), ours); r != nil {
		t.Fatal(*r)
	}
	return in
}

func replaced(text []byte, from, to string) []byte {
	return []byte(strings.ReplaceAll(string(text), from, to))
}

// TestBranch: RFC 3261 §16.6 step 8, §16.11, RFC 5393 §4.2.1.
func TestBranch(t *testing.T) {
	p := New(Config{})
	in := receive(t, invite)
	t.Run("no two branches are equal", func(t *testing.T) {
		seen := map[string]bool{}
		for range 1000 {
			b := string(p.AppendBranch(nil, in, 0))
			if seen[b] || !ourBranch.MatchString(b) || len(b) != branchLength {
				t.Fatal(b)
			}
			seen[b] = true
		}
	})
	t.Run("the method is no part of the loop hash", func(t *testing.T) {
		cancel := receive(t, replaced(invite, "INVITE", "CANCEL"))
		if cancel.loopHash() != in.loopHash() {
			t.Error("CANCEL differs")
		}
	})
	t.Run("what decides on the way is", func(t *testing.T) {
		for _, c := range [][2]string{
			{"INVITE sip:bob@biloxi", "INVITE sip:carol@biloxi"},
			{"Max-Forwards", "Route: <sip:p;lr>\r\nMax-Forwards"},
			{"CSeq: 1", "CSeq: 2"},
			{"2xTb9", "2xTb8"},
		} {
			if receive(t, replaced(invite, c[0], c[1])).loopHash() == in.loopHash() {
				t.Errorf("not %q", c[0])
			}
		}
		selected := receive(t, invite)
		selected.Selector = []byte("gateway")
		if selected.loopHash() == in.loopHash() {
			t.Error("not the selector")
		}
	})
	t.Run("stateless: a retransmission has the same, another transaction another", func(t *testing.T) {
		for _, text := range [][]byte{invite, replaced(invite, "z9hG4bK2d4790.1", "1")} {
			in := receive(t, text)
			b := string(p.AppendStatelessBranch(nil, in))
			if again := string(p.AppendStatelessBranch(nil, receive(t, text))); again != b || !ourBranch.MatchString(b) {
				t.Errorf("%s, then %s", b, again)
			}
			cancel := receive(t, replaced(text, "INVITE", "CANCEL"))
			if string(p.AppendStatelessBranch(nil, cancel)) != b {
				t.Error("CANCEL differs")
			}
			other := receive(t, replaced(replaced(text, "2d4790.1", "2d4790.2"), "CSeq: 1", "CSeq: 3"))
			if string(p.AppendStatelessBranch(nil, other)) == b {
				t.Error("another transaction has the same")
			}
		}
	})
}

// pass sends a request through the proxy once, as its next hop gets it.
func pass(t *testing.T, p *Proxy, text []byte, c Copy) []byte {
	t.Helper()
	in := receive(t, text)
	if in.Looped(ours) {
		return nil
	}
	c.Transport, c.SentBy, c.Branch = sip.UDP, []byte("ss2.biloxi.example.com"), p.AppendBranch(nil, in, 0)
	return in.Append(nil, &c)
}

// TestLooped: RFC 5393 §4.2.2.
func TestLooped(t *testing.T) {
	p := New(Config{})
	t.Run("unchanged, it has looped", func(t *testing.T) {
		once := pass(t, p, invite, Copy{})
		if once == nil || pass(t, p, once, Copy{}) != nil {
			t.Error("no loop was seen")
		}
	})
	t.Run("a loop through two users is seen when the first comes again", func(t *testing.T) {
		alice := Copy{URI: []byte("sip:alice@biloxi.example.com")}
		bob := Copy{URI: []byte("sip:bob@biloxi.example.com")}
		text := pass(t, p, pass(t, p, invite, alice), bob)
		if text == nil || pass(t, p, text, alice) != nil {
			t.Error("no loop was seen")
		}
	})
	t.Run("with another Request-URI it spirals", func(t *testing.T) {
		text := invite
		for _, user := range []string{"b", "c", "d"} {
			if text = pass(t, p, text, Copy{URI: []byte("sip:" + user + "@biloxi.example.com")}); text == nil {
				t.Fatal("a spiral was refused")
			}
		}
	})
	t.Run("with another Route it spirals", func(t *testing.T) {
		once := pass(t, p, invite, Copy{Routes: []byte("<sip:application.example;lr>")})
		if pass(t, p, once, Copy{}) == nil {
			t.Error("a spiral was refused")
		}
	})
	t.Run("the same hash under another name is not ours", func(t *testing.T) {
		once := pass(t, p, invite, Copy{})
		if receive(t, replaced(once, "UDP ss2.biloxi.example.com", "UDP ss3.chicago.example.com")).Looped(ours) {
			t.Error("another's branch was taken for ours")
		}
	})
	t.Run("Vias that nobody can read are no error", func(t *testing.T) {
		text := replaced(invite, "Via: SIP/2.0/UDP client", "Via: SIP/2.0/UDP x;a=\"b,;c\";;\r\nVia: SIP/2.0/UDP client")
		if pass(t, p, text, Copy{}) == nil {
			t.Error("refused")
		}
	})
}
