package conformance

import (
	"slices"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestDigestCalls: credentials and challenges on their way through a proxy (RFC 3261 §22.3).
func TestDigestCalls(t *testing.T) {
	own := func(s *venue) *Agent {
		return s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain, o.Password = bed.Domain, bed.Password("alice") })
	}
	play(t, "DG-010", func(s *venue) {
		bob, alice := s.phone(), own(s)
		for _, with := range []bool{true, false} {
			invite := alice.Invite(bobAOR)
			asked := alice.Expect(407)
			invite.Ack(asked)
			invite = invite.Retry(alice.Credentials(asked))
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 200)
			call := alice.Dialog(invite, alice.Expect(200))
			if with {
				call.Ack(invite.Copied("Proxy-Authorization"))
			} else {
				call.Ack()
			}
			bob.Expect("ACK")
			// And for the ACK of a refusal.
			invite = alice.Invite(bobAOR, alice.Known(bed.Realm))
			refuse(bob.Expect("INVITE"), 486)
			invite.Ack(alice.Expect(486), invite.Copied("Proxy-Authorization"))
			silent(time.Minute, alice, bob)
		}
	})
	play(t, "DG-011/DG-012", func(s *venue) {
		bob, alice := s.phone(), own(s)
		const other = `Digest username="alice", realm="chicago.example.com", nonce="1", uri="sip:bob@chicago.example.com", response="00000000000000000000000000000000"`
		s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE").Lacks("Proxy-Authorization").Lacks("Authorization"), 486)
		s.alice.Invite(bobAOR, Line("Proxy-Authorization: "+other, "Authorization: "+other))
		refuse(bob.Expect("INVITE").Want("Proxy-Authorization", other).Want("Authorization", other), 486)
		invite := alice.Invite(bobAOR, Line("Proxy-Authorization: "+other))
		invite = invite.Retry(alice.Credentials(alice.Expect(407)))
		offer := bob.Expect("INVITE").Want("Proxy-Authorization", other).Lacks("Authorization") // without ours
		bob.Reply(offer, 407, Line(`Proxy-Authenticate: Digest realm="chicago.example.com", nonce="2", qop="auth"`))
		bob.Expect("ACK").Lacks("Proxy-Authorization")
		invite.Ack(alice.Expect(407))
		silent(time.Minute, alice, bob) // the server answers no challenge itself
	})
	play(t, "DG-022", func(s *venue) {
		challenge := func(realm, algorithm string) string {
			return `Digest realm="` + realm + `", nonce="1", qop="auth", algorithm=` + algorithm
		}
		first := []string{challenge("one.example.com", "SHA-512-256"), challenge("one.example.com", "SHA-256"), challenge("one.example.com", "MD5")}
		second := []string{challenge("two.example.com", "SHA-256"), challenge("two.example.com", "MD5")}
		reply := func(p *Agent, list []string) {
			offer := p.Expect("INVITE")
			for i := range list {
				list[i] = "Proxy-Authenticate: " + list[i]
			}
			p.Reply(offer, 407, Line(list...))
			p.Expect("ACK")
		}
		phones := s.phones("1", "1")
		s.alice.Invite(bobAOR)
		reply(phones[0], slices.Clone(first))
		reply(phones[1], slices.Clone(second))
		got := s.alice.Expect(407).Values("Proxy-Authenticate")
		if !slices.Equal(got, slices.Concat(first, second)) && !slices.Equal(got, slices.Concat(second, first)) {
			t.Errorf("challenges:\n%q", got)
		}
	})
}
