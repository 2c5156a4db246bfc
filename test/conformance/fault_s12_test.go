package conformance

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultS12: what a stranger's INVITE that ends here at once causes at its source, which somebody may have forged.
func TestFaultS12(t *testing.T) {
	const here = bed.Domain

	for _, c := range []struct {
		name, uri string
		status    int
		edits     []Edit
	}{
		{"an unknown user", "sip:nobody@" + here, 404, nil},
		{"a user who is not registered", "sip:u1@" + here, 480, nil},
		{"a foreign domain", "sip:bob@elsewhere.example.org", 403, nil},
		{"an unknown scheme", "foo:bob@" + here, 416, nil},
		{"an extension that a proxy must know", bobAOR, 420, []Edit{Line("Proxy-Require: foo")}},
		{"no hops left", bobAOR, 483, []Edit{MaxForwards("0")}},
		{"a header field that cannot be read", bobAOR, 400, []Edit{Line("Route: <sip:")}},
		{"a domain that is not ours at our address", "sip:bob@192.0.2.222", 404, nil},
		{"a challenge", bobAOR, 407, []Edit{From("<sip:alice@" + here + ">;tag=x")}},
	} {
		t.Run("S12 an INVITE by a stranger to "+c.name+" is answered once for each copy", onStage(func(s *stage) {
			s.phone()
			invite := s.alice.Invite(c.uri, c.edits...)
			refused := s.alice.Expect(c.status)
			s.alice.ExpectNothing(time.Minute)
			invite.Again()
			if again := s.alice.Expect(c.status); again.ToTag() != refused.ToTag() {
				again.Fatalf("another To tag than in\n%s", refused.Raw)
			}
			s.alice.ExpectNothing(time.Minute)
			invite.Ack(refused)
			s.alice.ExpectNothing(time.Minute)
			if n := s.Server.Status().Transactions.Servers; n != 0 {
				s.t.Errorf("%d server transactions are held", n)
			}
		}))
	}

	t.Run("S12 a trusted address may be forged too", onStage(func(s *stage) {
		s.alice.Invite("sip:nobody@" + here)
		s.alice.Expect(404)
		s.alice.ExpectNothing(time.Minute)
	}, func(c *config.Config) {
		c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.101/32"))}
	}))
	t.Run("S12 a stranger over TCP leaves no transaction", onStage(func(s *stage) {
		invite := s.alice.Invite("sip:nobody@"+here, SendTo(s.Hop(tcp)))
		invite.Ack(s.alice.Expect(404))
		s.alice.ExpectNothing(time.Second)
		if n := s.Server.Status().Transactions.Servers; n != 0 {
			s.t.Errorf("%d server transactions are held", n)
		}
	}))
	t.Run("S12 who has authenticated is answered until the ACK", onStage(func(s *stage) {
		carol := s.agent("alice", "192.0.2.77", func(o *AgentOptions) { o.Domain, o.Password = here, bed.Password("alice") })
		invite := carol.Invite("sip:nobody@" + here)
		busy := carol.Expect(407)
		invite.Ack(busy)
		invite.Retry(carol.Credentials(busy))
		wantTimes(s.t, copies(carol, "404", time.Minute), timerE...)
	}))
	t.Run("S12 a flood from one source gets few copies of what its phone refuses", onStage(func(s *stage) {
		const invites = 60
		bob := s.phone()
		for i := range invites {
			s.alice.Invite(bobAOR, CallID(fmt.Sprint("call", i)))
			refuse(bob.Expect("INVITE"), 486)
		}
		time.Sleep(time.Minute)
		n := 0
		for _, r := range s.alice.Drain() {
			if r.Is("486") {
				n++
			}
		}
		if most := 16*11 + (invites-16)*2; n > most || n < invites {
			s.t.Errorf("%d INVITEs got %d copies of 486, want at most %d", invites, n, most)
		}
	}))
	t.Run("S12 a flood of INVITEs to a domain that redirects gets few copies", onStage(func(s *stage) {
		const invites = 60
		s.Bind(s.t, "bob", "<sip:bob@192.0.2.201>")
		for range invites {
			s.alice.Invite(bobAOR)
		}
		time.Sleep(time.Minute)
		if n := len(s.alice.Drain()); n > 16*11+(invites-16)*2 || n < invites {
			s.t.Errorf("%d INVITEs got %d copies of 302", invites, n)
		}
	}, redirecting))
	t.Run("S12 the end of a call that nobody answered is no flood either", onStage(func(s *stage) {
		s.phone()
		const invites = 40
		for range invites {
			s.alice.Invite(bobAOR)
		}
		time.Sleep(5 * time.Minute)
		n := 0
		for _, r := range s.alice.Drain() {
			if strings.HasPrefix(r.Raw, "SIP/2.0 408") {
				n++
			}
		}
		if n > 16*11+(invites-16)*2 || n < 1 {
			s.t.Errorf("%d INVITEs got %d copies of 408", invites, n)
		}
	}))
}
