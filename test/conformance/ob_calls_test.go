package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// flow is a phone of bob's that nobody can connect to: what reaches it comes down the flow that it registered over.
func (s *venue) flow(transport sip.Transport, address string) *Agent {
	s.t.Helper()
	return s.agent("bob", address, s.through(transport), func(o *AgentOptions) {
		o.Domain, o.Without = bed.Domain, []sip.Transport{tcp}
		o.Password = bed.Password("bob")
	})
}

// elsewhere is the host of their Contacts. Who listens there must hear nothing.
const elsewhere = "192.0.2.230"

// outbounds registers a phone for outbound with a reg-id (RFC 5626 §4.2).
func outbounds(a *Agent, regID string, edits ...Edit) *Received {
	a.T.Helper()
	contact := "<sip:" + a.User + "@" + elsewhere + ";transport=" + strings.ToLower(a.Outbound.Transport.String()) + ";ob>;" + instanceA + ";reg-id=" + regID
	first := a.Request("REGISTER", "sip:"+a.Domain, append(edits, To("<"+a.AOR()+">"), Contact(contact), Line(outbound))...)
	first.Retry(a.Credentials(a.Expect(401)))
	granted := a.Expect(200).Want("Require", "outbound")
	time.Sleep(time.Second) // so that one is later than another
	return granted
}

// TestFlows: calls down the flows of registrations (RFC 5626 §5.3 and §7).
func TestFlows(t *testing.T) {
	play(t, "OB-008", func(s *venue) {
		before, after := s.flow(tcp, at(0)), s.flow(tcp, at(1))
		outbounds(before, "1")
		s.alice.Request("MESSAGE", bobAOR)
		before.Reply(before.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		outbounds(after, "1") // the same instance and reg-id over another connection
		s.alice.Request("MESSAGE", bobAOR)
		after.Reply(after.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		silent(time.Minute, before, after)
		// A phone that comes back after its connection broke.
		after.Hang()
		time.Sleep(time.Second)
		outbounds(after, "1")
		s.alice.Request("MESSAGE", bobAOR)
		after.Reply(after.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		silent(time.Minute, before, after)
	})
	play(t, "OB-010", func(s *venue) {
		one, two := s.flow(tcp, at(0)), s.flow(udp, at(1))
		outbounds(one, "1")
		outbounds(two, "2")
		s.alice.Invite(bobAOR)
		offer := two.Expect("INVITE") // the one that registered last
		two.Reply(offer, 180)
		silent(20*time.Second, one)
		two.Reply(offer, 200)
		s.alice.Expect(180)
		s.alice.Expect(200)
		silent(time.Minute, one)
	})
	t.Run("OB-011", func(t *testing.T) {
		for name, fails := range map[string]func(flow *Agent){
			"430":  func(flow *Agent) { refuse(flow.Expect("INVITE"), 430) },
			"408":  func(flow *Agent) { refuse(flow.Expect("INVITE"), 408) },
			"dead": func(*Agent) {},
		} {
			play(t, name, func(s *venue) {
				one, two := s.flow(tcp, at(0)), s.flow(tcp, at(1))
				outbounds(one, "1")
				outbounds(two, "2")
				if name == "dead" {
					two.Hang()
					time.Sleep(time.Second)
				}
				s.alice.Invite(bobAOR)
				fails(two)
				one.Reply(one.Expect("INVITE"), 200)
				s.alice.Expect(200)
				silent(20*time.Second, two)
			})
		}
	})
	play(t, "OB-012", func(s *venue) {
		one, two := s.flow(tcp, at(0)), s.flow(tcp, at(1))
		outbounds(one, "1")
		outbounds(two, "2")
		for _, status := range []int{486, 404, 480, 500, 302} {
			invite := s.alice.Invite(bobAOR)
			refuse(two.Expect("INVITE"), status)
			invite.Ack(s.alice.Expect(status))
			silent(time.Minute, one, two)
		}
	})
	t.Run("OB-013", func(t *testing.T) {
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			play(t, transport.String(), func(s *venue) {
				trap := s.secure("bob", elsewhere)
				bob := s.flow(transport, at(0))
				outbounds(bob, "1")
				invite := s.alice.Invite(bobAOR)
				offer := bob.Expect("INVITE")
				if offer.Hop.Transport != transport || offer.Hop.Addr != s.Addr(transport) {
					offer.Fatalf("not the flow of the REGISTER")
				}
				bob.Reply(offer, 200)
				call := s.alice.Dialog(invite, s.alice.Expect(200))
				call.Ack()
				bob.Expect("ACK") // so do the requests of the dialog
				call.Bye()
				bob.Reply(bob.Expect("BYE"), 200)
				s.alice.Expect(200)
				silent(time.Minute, trap, bob)
			})
		}
	})
	play(t, "OB-014", func(s *venue) {
		trap := s.agent("bob", elsewhere)
		bob := s.flow(tcp, at(0))
		outbounds(bob, "1")
		first := bob.Request("REGISTER", "sip:"+bob.Domain, To("<"+bob.AOR()+">"), Contact("<sip:bob@"+elsewhere+">;"+instanceB+";reg-id=1"), Line(outbound))
		first.Retry(bob.Credentials(bob.Expect(401)))
		bob.Expect(200)
		bob.Hang()
		time.Sleep(time.Second)
		invite := s.alice.Invite(bobAOR)
		invite.Ack(s.alice.Expect(480))
		s.alice.Request("MESSAGE", bobAOR)
		s.alice.Expect(480)
		silent(time.Minute, trap, bob)
	})
	play(t, "OB-020", func(s *venue) {
		bob := s.flow(tcp, at(0))
		granted := outbounds(bob, "1").Lacks("Flow-Timer")
		granted.Carries("Contact", ";expires=3600")
		time.Sleep(3580 * time.Second) // not a byte
		s.alice.Request("MESSAGE", bobAOR)
		bob.Reply(bob.Expect("MESSAGE"), 200)
		s.alice.Expect(200)
		closed := func() uint64 { return s.Server.Status().Transport.Value("closed", tcp, "idle") }
		time.Sleep(time.Hour)
		if closed() != 0 {
			t.Error("closed an hour after the last message")
		}
		time.Sleep(time.Hour + time.Minute)
		if closed() != 1 {
			t.Error("open two hours after the last message")
		}
	})
}

// TestFlowTokens: requests within a dialog that come back to a flow (RFC 5626 §5.3).
func TestFlowTokens(t *testing.T) {
	// answered is bob's side of a call from carol, whose requests come over a transport.
	answered := func(s *venue, carol *Agent, edits ...Edit) (bob *Agent, d *Dialog) {
		s.t.Helper()
		bob = s.phone()
		invite := carol.Invite(bobAOR, edits...)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := carol.Dialog(invite, carol.Expect(200))
		call.Ack()
		bob.Expect("ACK")
		return bob, bob.Answered(offer)
	}
	noTCP := func(o *AgentOptions) { o.Without = []sip.Transport{tcp} }

	play(t, "OB-016", func(s *venue) {
		carol := s.agent("carol", "192.0.2.102", s.through(tcp), noTCP)
		bob, call := answered(s, carol)
		right, forged := call.Routes, 0
		for i := range right[1] {
			at := strings.IndexByte(right[1], '@')
			if i < len("<sip:") || i >= at-1 { // the last character has bits that say nothing
				continue
			}
			other := "A"
			if right[1][i] == 'A' {
				other = "B"
			}
			call.Routes = []string{right[0], right[1][:i] + other + right[1][i+1:]}
			call.Request("INFO")
			bob.Expect(403)
			forged++
		}
		if forged < 20 {
			t.Errorf("%d forged tokens in %v", forged, right)
		}
		call.Routes = right
		call.Request("INFO")
		carol.Reply(carol.Expect("INFO"), 200)
		bob.Expect(200)
		carol.Hang()
		time.Sleep(time.Second)
		call.Bye()
		bob.Expect(430)
		silent(time.Minute, carol, bob)
	})
	t.Run("OB-017", func(t *testing.T) {
		for _, transport := range []sip.Transport{udp, tcp, tls} {
			play(t, transport.String(), func(s *venue) {
				trap := s.secure("carol", elsewhere)
				carol := s.agent("carol", "192.0.2.102", s.through(transport), noTCP)
				bob, call := answered(s, carol, Contact("<sip:carol@"+elsewhere+";ob>"))
				for range 2 {
					call.Request("INFO")
					info := carol.Expect("INFO").WantURI("sip:carol@" + elsewhere + ";ob")
					if info.Hop.Transport != transport || info.Hop.Addr != s.Addr(transport) {
						info.Fatalf("not the flow of the INVITE")
					}
					carol.Reply(info, 200)
					bob.Expect(200)
				}
				call.Bye()
				carol.Reply(carol.Expect("BYE"), 200)
				bob.Expect(200)
				silent(time.Minute, trap, carol, bob)
			})
		}
	})
}
