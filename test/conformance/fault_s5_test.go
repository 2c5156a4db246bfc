package conformance

import (
	"strings"
	"testing"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// claimed are header fields by which a caller says who they are on the word of the network.
var claimed = []string{"P-Asserted-Identity: <sip:boss@" + bed.Domain + ">", "p-asserted-identity: <tel:+12025550100>",
	"P-Preferred-Identity: <sip:boss@" + bed.Domain + ">", "Remote-Party-ID: \"Boss\" <sip:boss@" + bed.Domain + ">;party=calling\r\n ;screen=yes"}

var identityNames = []string{"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"}

// ourAlice is the subscriber alice, at an address that is not her registration's.
func ourAlice(s *stage) *Agent {
	return s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
}

// authenticated sends a request with credentials, after the challenge that it gets without.
func authenticated(a *Agent, method, uri string, edits ...Edit) *Sent {
	a.T.Helper()
	first := a.Request(method, uri, edits...)
	challenge := a.Expect(407)
	if method == "INVITE" {
		first.Ack(challenge)
	}
	return first.Retry(a.Credentials(challenge))
}

// TestIdentity: who calls is believed of trusted peers alone (RFC 3325 §5).
func TestIdentity(t *testing.T) {
	t.Run("S5 a stranger's identity does not reach the phone", onStage(func(s *stage) {
		bob := s.phone()
		for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE"} {
			s.alice.Request(method, bobAOR, Line(claimed...))
			r := bob.Expect(method).Lacks(identityNames...)
			if bob.Reply(r, 480); method == "INVITE" {
				bob.Expect("ACK")
			}
			s.alice.Expect(480)
		}
	}))
	t.Run("S5 nor a subscriber's", onStage(func(s *stage) {
		bob := s.phone()
		authenticated(ourAlice(s), "INVITE", bobAOR, Line(claimed...))
		bob.Expect("INVITE").Lacks(identityNames...)
	}))
	t.Run("S5 nor within a dialog", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		bob.Reply(bob.Expect("INVITE"), 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack(Line(claimed...))
		bob.Expect("ACK").Lacks(identityNames...)
		call.Request("UPDATE", Line(claimed...))
		bob.Expect("UPDATE").Lacks(identityNames...)
	}))
	t.Run("S5 a trusted peer's does, byte for byte", onStage(func(s *stage) {
		bob, peer := s.phone(), s.agent("pstn", gatewayAddress)
		peer.Invite(bobAOR, Line(claimed...))
		r := bob.Expect("INVITE")
		for _, line := range claimed {
			if !strings.Contains(r.Raw, "\r\n"+line+"\r\n") {
				r.Fatalf("without %q", line)
			}
		}
	}, withPeers))
	t.Run("S5 but not where it wants privacy of whom we do not trust", onStage(func(s *stage) {
		bob, peer := s.phone(), s.agent("pstn", gatewayAddress)
		peer.Invite(bobAOR, Line(append(claimed, "Privacy: header; ID")...))
		bob.Expect("INVITE").Lacks(identityNames...).Want("Privacy", "header; ID")
	}, withPeers))
	t.Run("S5 a callee's does not reach the caller", onStage(func(s *stage) {
		bob := s.phone()
		for _, status := range []int{180, 486, 200} {
			s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, status, Line(claimed...), Line("X-Last: 1"))
			s.alice.Expect(status).Lacks(identityNames...).Want("X-Last", "1")
			if status == 180 {
				bob.Reply(offer, 480)
				s.alice.Expect(480)
			}
			if status < 200 || status >= 300 {
				bob.Expect("ACK")
			}
		}
	}))
	t.Run("S5 one of ours for who authenticated, if the server is told to", onStage(func(s *stage) {
		bob := s.phone()
		alice := ourAlice(s)
		authenticated(alice, "INVITE", bobAOR, Line(claimed...))
		bob.Expect("INVITE").Want("P-Asserted-Identity", "<sip:alice@"+bed.Domain+">").Lacks("P-Preferred-Identity", "Remote-Party-ID")
		authenticated(alice, "INVITE", bobAOR, Line("Privacy: id"))
		bob.Expect("INVITE").Lacks(identityNames...)
		s.alice.Invite(bobAOR, Line(claimed...))
		bob.Expect("INVITE").Lacks(identityNames...)
	}, func(c *config.Config) { c.Proxy.AssertIdentity = true }))
}

// TestDigestURI: credentials are for the request that they were made for (RFC 7616 §3.4.6).
func TestDigestURI(t *testing.T) {
	for _, c := range []struct {
		uri string
		ok  bool
	}{
		{bobAOR, true}, {"sip:bob@" + bed.Host, true}, {"sip:bob@192.0.2.222", true}, {"sip:%62ob@" + bed.Domain + ";user=phone", true},
		{"sip:x@evil.example.net", false}, {"sip:bob@evil.example.net", false}, {"sip:alice@" + bed.Domain, false}, {"sip:evil.example.net", false}, {"sip:" + bed.Domain, true}, {"sip:192.0.2.222:5060", true}, {"tel:+1", false},
	} {
		t.Run("S6 MESSAGE to bob with uri="+c.uri, onStage(func(s *stage) {
			bob, alice := s.phone(), ourAlice(s)
			first := alice.Request("MESSAGE", bobAOR)
			challenge := alice.Expect(407)
			p := NewPhone(t, noWire{}, "alice", bed.Domain, bed.Password("alice"))
			first.Retry(Line("Proxy-Authorization: " + answerTo(p, challenge, "MESSAGE", c.uri)))
			if c.ok {
				bob.Expect("MESSAGE").Lacks("Proxy-Authorization")
				return
			}
			alice.Expect(403)
			silent(0, bob)
		}))
	}
}

// TestClaims: whoever writes a From of ours shows that it is theirs, however it is written.
func TestClaims(t *testing.T) {
	for _, from := range []string{"sip:alice@" + bed.Domain, "sips:alice@" + bed.Domain, "SIP:alice@BILOXI.example.com.", "sip:alice@" + bed.Host, "sip:alice@192.0.2.222",
		"sip:alice@192.0.2.222:5060", "sip:alice@[::ffff:192.0.2.222]", "sip:alice@[::FFFF:c000:2de]:5060", "im:alice@" + bed.Domain, "pres:alice@" + bed.Domain,
		"IM:alice@" + bed.Domain + "?subject=x", "xmpp:alice@" + bed.Domain, "sip:" + bed.Domain, "sip:alice:secret@" + bed.Domain + ":9999"} {
		t.Run("S13 a stranger as "+from, onStage(func(s *stage) {
			bob := s.phone()
			for _, method := range []string{"MESSAGE", "INVITE", "SUBSCRIBE", "OPTIONS"} {
				request := s.alice.Request(method, bobAOR, From("<"+from+">;tag=1"))
				r := s.alice.Expect(407)
				if method == "INVITE" {
					request.Ack(r)
				}
			}
			silent(0, bob)
		}))
	}
	t.Run("S13 alice as im:alice", onStage(func(s *stage) {
		bob := s.phone()
		authenticated(ourAlice(s), "MESSAGE", bobAOR, From("<im:alice@"+bed.Domain+">;tag=1"))
		bob.Expect("MESSAGE")
	}))
	t.Run("S13 a mapped address is ours in a REGISTER and a Request-URI too", onStage(func(s *stage) {
		s.phone()
		s.alice.Request("OPTIONS", "sip:[::ffff:192.0.2.222]")
		s.alice.Expect(200)
	}))
}

// TestChallengeRole: a proxy asks with 407 and a redirect server with 401, whoever calls (RFC 3261 §22.1).
func TestChallengeRole(t *testing.T) {
	redirecting := func(c *config.Config) {
		moved := c.Domains[0]
		moved.Name, moved.Realm, moved.Aliases, moved.Mode = "moved.example.com", "moved.example.com", nil, config.ModeRedirect
		c.Domains = append(c.Domains, moved)
	}
	for _, c := range []struct {
		from, uri string
		want      int
	}{
		{"sip:alice@" + bed.Domain, bobAOR, 407}, {"sip:alice@" + bed.Domain, "sip:bob@moved.example.com", 401},
		{"sip:alice@moved.example.com", bobAOR, 407}, {"sip:alice@moved.example.com", "sip:bob@moved.example.com", 401},
		{"sip:alice@moved.example.com", "sip:x@" + thirdAddress, 407},
	} {
		t.Run("R9 "+c.from+" calls "+c.uri, onStage(func(s *stage) {
			for _, method := range []string{"INVITE", "MESSAGE"} {
				s.alice.Request(method, c.uri, From("<"+c.from+">;tag=1"))
				r := s.alice.Expect(c.want)
				name, other := "Proxy-Authenticate", "WWW-Authenticate"
				if c.want == 401 {
					name, other = other, name
				}
				r.Carries(name, "realm=").Lacks(other)
			}
		}, redirecting))
	}
}

// answerTo is the credentials of a phone for a URI of its choice, after a 407.
func answerTo(p *Phone, challenge *Received, method, uri string) string {
	c, _, err := sip.ParseChallenge([]byte(challenge.Values("Proxy-Authenticate")[0]))
	if err != nil {
		challenge.Fatalf("challenge: %v", err)
	}
	p.Answer(Challenge{Realm: string(c.Realm), Nonce: string(c.Nonce), Opaque: string(c.Opaque), Algorithm: string(c.Algorithm), QOP: string(c.QOP)})
	return p.Authorization(method, uri)
}
