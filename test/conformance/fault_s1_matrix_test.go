package conformance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// methods are those that the matrix tries; re-INVITE is an INVITE with a To tag.
var methods = []string{"INVITE", "re-INVITE", "ACK", "BYE", "CANCEL", "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "OPTIONS", "INFO", "UPDATE", "PRACK"}

// What becomes of a request, where it is not a status.
const (
	arrives = "arrives" // at the target
	nothing = "nothing" // it is dropped
)

// matrix is who tries what, and where it would arrive.
type matrix struct {
	*reachWorld
	alice, peer *Agent
	ends        map[string]*Agent
	targets     map[string]string // URIs
	dialogs     map[string]*Dialog
	last        *Received // the final answer that came last
}

// cellTargets are the columns of the matrix, with the place of SECURITY.md that each is.
var cellTargets = []struct{ name, place string }{{"own user", "open"}, {"closed domain", "closed"}, {"route", "beyond"}, {"trunk", "beyond"},
	{"third party", "beyond"}, {"inner address", "beyond"}, {"ourselves", "self"}}

// The callers of the matrix, each with what its requests begin with: one of the rows of SECURITY.md's tables. None of
// the targets is the other end of a dialog, so that a proof is worth nothing here.
var cellCallers = []struct{ name, shows string }{
	{"stranger", "nothing"}, {"subscriber", "credentials"}, {"other subscriber", "another's credentials"}, {"trusted peer", "trusted"},
	{"holder of a proof of a stranger's dialog", "nothing"}, {"holder of a proof of a subscriber's dialog", "nothing"},
	{"who acts as the subscriber of that dialog", "claim"}, {"holder of a token", "token"}, {"anonymous", "anonymous"},
}

// wanted is what becomes of a request in a cell.
func wanted(shows, method, place string) string {
	switch {
	case place == "self":
		switch method {
		case "OPTIONS":
			return "200"
		case "ACK":
			return nothing
		case "CANCEL":
			return "481"
		}
		return "405"
	case method == "ACK":
		return wantedAck(shows, place)
	case method == "CANCEL":
		if shows == "trusted" && place == "beyond" {
			return arrives
		}
		return "481"
	}
	return wantedRequest(shows, place)
}

func wantedAck(shows, place string) string {
	if shows == "trusted" || place == "open" && (shows == "nothing" || shows == "anonymous") {
		return arrives
	}
	return nothing
}

func wantedRequest(shows, place string) string {
	switch shows {
	case "trusted", "credentials":
		return arrives
	case "another's credentials":
		return "403"
	case "claim":
		return "407"
	case "token":
		if place == "closed" {
			return "407"
		}
		return "403"
	}
	switch {
	case place == "closed", place == "beyond" && shows == "anonymous":
		return "407"
	case place == "open":
		return arrives
	}
	return "403"
}

// TestAdmissionMatrix walks who may do what: callers × requests × targets, over each transport.
func TestAdmissionMatrix(t *testing.T) {
	for _, transport := range []sip.Transport{udp, tcp, tls} {
		t.Run("S1 S2 over "+transport.String(), onStage(func(s *stage) {
			m := newMatrix(s)
			for _, c := range cellCallers {
				for _, method := range methods {
					for _, target := range cellTargets {
						got, want := m.try(c.name, method, target.name, transport), wanted(c.shows, method, target.place)
						if got != want {
							s.t.Errorf("%s, %s to %s over %s: %s, want %s", c.name, method, target.name, transport, got, want)
						}
					}
				}
			}
		}, withPeers, manyTransactions))
	}
}

// manyTransactions keeps the shares of strangers out of a test that is not of them.
func manyTransactions(c *config.Config) { c.Proxy.MaxTransactions = 1 << 20 }

func newMatrix(s *stage) *matrix {
	m := &matrix{reachWorld: newReachWorld(s), dialogs: map[string]*Dialog{}}
	m.peer = m.gateway
	m.alice = s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
	m.ends = map[string]*Agent{"own user": m.bob, "closed domain": m.others[0], "route": m.gateway, "trunk": m.gateway, "inner address": m.others[2],
		"third party": m.others[3]}
	m.targets = map[string]string{"own user": bobAOR, "closed domain": "sip:bob@" + closedDomain, "route": "sip:+19005550100@" + bed.Domain,
		"trunk": "sip:+19005550100@" + gatewayAddress, "third party": "sip:x@" + thirdAddress, "inner address": "sip:x@" + innerAddress,
		"ourselves": "sip:192.0.2.222"}
	// A stranger's dialog with a user; a subscriber's and a peer's with the stranger, over TCP and with a token.
	caller := m.mallory[0]
	invite := caller.Invite(bobAOR)
	m.bob.Reply(m.bob.Expect("INVITE"), 200)
	m.dialogs["stranger's"] = caller.Dialog(invite, caller.Expect(200))
	m.dialogs["stranger's"].Ack()
	m.bob.Expect("ACK")
	called := m.alice.Invite(caller.ContactURI(udp))
	challenge := m.alice.Expect(407)
	called.Ack(challenge)
	called.Retry(m.alice.Credentials(challenge))
	m.dialogs["subscriber's"] = m.answer(caller)
	m.gateway.Invite(caller.ContactURI(udp))
	m.dialogs["peer's"] = m.answer(caller)
	m.quiet()
	return m
}

// answer takes a call as the stranger, and ends what waits for it.
func (m *matrix) answer(callee *Agent) *Dialog {
	offer := callee.Expect("INVITE")
	callee.Reply(offer, 200)
	return callee.Answered(offer)
}

// quiet lets all transactions end and empties all inboxes.
func (m *matrix) quiet() {
	time.Sleep(40 * time.Second)
	for _, a := range append(append(append([]*Agent{}, m.others...), m.mallory...), m.bob, m.stream, m.alice) {
		a.Drain()
	}
}

// try has a caller send a request to a target, and says what became of it.
func (m *matrix) try(who, method, target string, transport sip.Transport) string {
	m.t.Helper()
	d := m.request(who, m.targets[target], transport)
	end := m.ends[target]
	if end == d.Agent && who == "trusted peer" {
		return wanted("trusted", method, "beyond") // it would call itself
	}
	if method == "re-INVITE" && !strings.Contains(d.Remote, ";tag=") {
		d.Remote += ";tag=made-up"
	}
	real := strings.TrimPrefix(method, "re-")
	sent := d.Request(real)
	got := m.outcome(d.Agent, end, real)
	if strings.Contains(who, "subscriber") && !strings.HasPrefix(who, "ho") && !strings.HasPrefix(who, "who") && (got == "407" || got == "401") {
		sent.Retry(d.Agent.Credentials(m.last))
		got = m.outcome(d.Agent, end, real)
	}
	return got
}

// request is what a request of a caller to a URI is made from.
func (m *matrix) request(who, uri string, transport sip.Transport) *Dialog {
	a := m.mallory[0]
	d := &Dialog{CallID: Token(), Remote: "<" + uri + ">", Target: uri, CSeq: 7}
	switch who {
	case "subscriber":
		a = m.alice
	case "other subscriber":
		a = m.alice
		d.Local = "<sip:bob@" + bed.Domain + ">;tag=" + Token()
	case "trusted peer":
		a = m.gateway
	case "holder of a proof of a stranger's dialog":
		d = copied(m.dialogs["stranger's"])
	case "holder of a proof of a subscriber's dialog":
		d = copied(m.dialogs["subscriber's"])
	case "who acts as the subscriber of that dialog":
		d = copied(m.dialogs["subscriber's"])
		d.Local, d.Remote = d.Remote, d.Local
	case "holder of a token":
		d = copied(m.dialogs["peer's"])
		d.Local, d.Remote = "<"+a.AOR()+">;tag="+Token(), "<"+uri+">"
	case "anonymous":
		d.Local = "<sip:anonymous@anonymous.invalid>;tag=" + Token()
	}
	if d.Local == "" {
		d.Local = "<" + a.AOR() + ">;tag=" + Token()
	}
	d.Agent, d.Target, d.Hop = a, uri, m.Hop(transport)
	return d
}

func copied(d *Dialog) *Dialog {
	c := *d
	return &c
}

// outcome is what became of a request: that it arrived at its end, or the final answer that its sender got.
func (m *matrix) outcome(from, end *Agent, method string) string {
	m.t.Helper()
	defer m.settle(from, end)
	if end != nil {
		if r := end.Next(10 * time.Millisecond); r != nil && r.IsRequest() && string(r.Method()) == method {
			if method != "ACK" {
				end.Reply(r, 480)
			}
			return arrives
		}
	}
	for {
		r := from.Next(10 * time.Millisecond)
		if r == nil {
			return nothing
		}
		if r.Status() >= 200 {
			m.last = r
			return strconv.Itoa(r.Status())
		}
	}
}

// settle lets what is under way come to its end.
func (m *matrix) settle(agents ...*Agent) {
	time.Sleep(10 * time.Millisecond)
	for _, a := range agents {
		if a == nil {
			continue
		}
		a.Drain()
	}
}
