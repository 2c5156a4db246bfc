package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// shortDialogs has proofs end after an hour.
func shortDialogs(c *config.Config) { c.Proxy.DialogLifetime = config.Duration(time.Hour) }

// pair is a dialog with both of its sides.
type pair struct{ caller, callee *Dialog }

// within are what one end sends the other.
var within = []string{"INVITE", "BYE", "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY", "OPTIONS", "INFO", "UPDATE", "PRACK", "ACK"}

// made makes a dialog of each kind, callers by the evidence that they brought.
func (m *matrix) made() map[string]pair {
	m.t.Helper()
	list := map[string]pair{}
	call := func(name string, caller, callee *Agent, uri string) {
		m.t.Helper()
		invite := caller.Invite(uri)
		if caller == m.alice {
			challenge := caller.Expect(407)
			invite.Ack(challenge)
			invite = invite.Retry(caller.Credentials(challenge))
		}
		offer := callee.Expect("INVITE")
		callee.Reply(offer, 200)
		d := caller.Dialog(invite, caller.Expect(200))
		d.Ack()
		callee.Expect("ACK")
		list[name] = pair{d, callee.Answered(offer)}
	}
	call("a stranger's", m.mallory[0], m.bob, bobAOR)
	call("a subscriber's", m.alice, m.mallory[0], m.mallory[0].ContactURI(udp))
	call("a peer's", m.gateway, m.mallory[0], m.mallory[0].ContactURI(udp))
	return list
}

// sends has one end send each method to the other, from an agent, and checks what becomes of it.
func (m *matrix) sends(what string, d *Dialog, from, to *Agent, want string) {
	m.t.Helper()
	c := copied(d)
	c.Agent, c.Hop = from, m.Hop(udp)
	for _, method := range within {
		c.Request(method)
		expected := want
		if method == "ACK" && want != arrives {
			expected = nothing
		}
		if got := m.outcome(from, to, method); got != expected {
			m.t.Errorf("%s, %s: %s, want %s", what, method, got, expected)
		}
	}
}

// TestDialogMatrix walks what the holder of a proof reaches by it: the other end of that dialog, from where it may be
// sent, over a restart, and for its time.
func TestDialogMatrix(t *testing.T) {
	elsewhere := func(m *matrix) *Agent { return m.agent("x", "192.0.2.77") }
	t.Run("S1 each end reaches the other", onStage(func(s *stage) {
		m := newMatrix(s)
		for name, p := range m.made() {
			m.sends(name+" dialog, caller", p.caller, p.caller.Agent, p.callee.Agent, arrives)
			m.sends(name+" dialog, callee", p.callee, p.callee.Agent, p.caller.Agent, arrives)
		}
	}, withPeers, manyTransactions))
	t.Run("S1 from another source", onStage(func(s *stage) {
		m, other := newMatrix(s), (*Agent)(nil)
		other = elsewhere(m)
		dialogs := m.made()
		stranger, subscriber, peer := dialogs["a stranger's"], dialogs["a subscriber's"], dialogs["a peer's"]
		m.sends("a stranger who has moved", stranger.caller, other, m.bob, arrives)
		m.sends("in the name of a stranger's callee", stranger.callee, other, m.mallory[0], "407")
		m.sends("in the name of a subscriber", subscriber.caller, other, m.mallory[0], "407")
		m.sends("whom a subscriber called and who has moved", subscriber.callee, other, m.alice, arrives)
		m.sends("in the name of a peer", peer.caller, other, m.mallory[0], "403")
		m.sends("whom a peer called and who has moved", peer.callee, other, m.gateway, arrives)
	}, withPeers, manyTransactions))
	t.Run("S1 after a restart", onStage(func(s *stage) {
		m := newMatrix(s)
		dialogs := m.made()
		s.Restart()
		for name, p := range dialogs {
			if name != "a peer's" { // its connection is gone
				m.sends(name+" dialog, caller", p.caller, p.caller.Agent, p.callee.Agent, arrives)
				m.sends(name+" dialog, callee", p.callee, p.callee.Agent, p.caller.Agent, arrives)
			}
		}
		d := copied(dialogs["a stranger's"].caller)
		d.Target = "sip:x@" + thirdAddress
		m.sends("a stranger to a third party", d, d.Agent, m.others[3], "403")
	}, withPeers, manyTransactions))
	t.Run("S1 after its time", onStage(func(s *stage) {
		m := newMatrix(s)
		dialogs := m.made()
		time.Sleep(time.Hour + 2*time.Minute)
		m.sends("a stranger", dialogs["a stranger's"].caller, m.mallory[0], m.bob, "403")
		m.sends("whom a stranger called", dialogs["a stranger's"].callee, m.bob, m.mallory[0], "407")
		m.sends("a subscriber", dialogs["a subscriber's"].caller, m.alice, m.mallory[0], "407")
		m.sends("whom a subscriber called", dialogs["a subscriber's"].callee, m.mallory[0], m.alice, "403")
	}, withPeers, manyTransactions, shortDialogs))
	t.Run("S1 a dialog that is refreshed goes on", onStage(func(s *stage) {
		m := newMatrix(s)
		p := m.made()["a stranger's"]
		for range 5 {
			time.Sleep(50 * time.Minute)
			p.caller.Request("UPDATE")
			m.bob.Reply(m.bob.Expect("UPDATE"), 200, Contact("<"+m.bob.ContactURI(udp)+">"))
			m.mallory[0].Expect(200)
		}
		m.sends("a stranger", p.caller, m.mallory[0], m.bob, arrives)
		m.sends("whom a stranger called", p.callee, m.bob, m.mallory[0], arrives)
	}, withPeers, manyTransactions, shortDialogs))
	t.Run("S1 an end that moves is reached there", onStage(func(s *stage) {
		m := newMatrix(s)
		p := m.made()["a stranger's"]
		moved := m.agent("bob", "192.0.2.230")
		p.callee.Request("INVITE", Contact("<"+moved.ContactURI(udp)+">"))
		m.mallory[0].Reply(m.mallory[0].Expect("INVITE"), 200)
		m.bob.Expect(200)
		p.caller.Target = moved.ContactURI(udp)
		m.sends("the stranger", p.caller, m.mallory[0], moved, arrives)
	}, withPeers, manyTransactions))
	t.Run("S1 a callee who answers from elsewhere is reached there", onStage(func(s *stage) {
		m := newMatrix(s)
		node := m.agent("node", "192.0.2.231")
		invite := m.mallory[0].Invite(bobAOR)
		offer := m.bob.Expect("INVITE")
		m.bob.Reply(offer, 200, Contact("<"+node.ContactURI(udp)+">"))
		call := m.mallory[0].Dialog(invite, m.mallory[0].Expect(200))
		call.Ack()
		node.Expect("ACK")
		m.sends("the stranger", call, m.mallory[0], node, arrives)
	}, withPeers, manyTransactions))
	t.Run("S2 a token of one call is none in another", onStage(func(s *stage) {
		m := newMatrix(s)
		token := m.dialogs["peer's"].Routes
		if len(token) == 0 || !strings.Contains(token[len(token)-1], "@") {
			t.Fatalf("no token in %q", token)
		}
		for _, uri := range []string{"sip:+19005550100@" + bed.Domain, bobAOR, m.gateway.ContactURI(tcp)} {
			m.mallory[0].Request("INVITE", uri, Route(token[len(token)-1]))
			if got := m.outcome(m.mallory[0], m.gateway, "INVITE"); got != "403" {
				t.Errorf("%s: %s", uri, got)
			}
		}
	}, withPeers, manyTransactions))
}
