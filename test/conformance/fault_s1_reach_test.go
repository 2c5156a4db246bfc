package conformance

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// closedDomain is a domain of the server's whose users only those call who authenticate.
const closedDomain = "closed.example.com"

// The addresses of those whom a stranger must not reach, and of the stranger.
const (
	gatewayAddress = "192.0.2.50"   // a trusted peer, and the hop of a route
	closedAddress  = "192.0.2.60"   // a phone of the closed domain
	innerAddress   = "10.0.0.5"     // a host of the server's own network
	thirdAddress   = "198.51.100.7" // somebody else on the Internet
	mallory        = "192.0.2.66"
)

// withPeers is a configuration with a closed domain, a trusted gateway, and a route to it.
func withPeers(c *config.Config) {
	closed := c.Domains[0]
	closed.Name, closed.Realm, closed.Aliases, closed.Callers = closedDomain, closedDomain, nil, config.CallersAuthenticated
	c.Domains = append(c.Domains, closed)
	c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix(gatewayAddress + "/32"))}
	c.Defence.Mode = config.DefenceOff // a stranger who is not heard reaches nobody
	c.Routes = []config.Route{{Name: "gateway", User: "+", Hops: []string{"sip:" + gatewayAddress + ";transport=tcp"}}}
}

// loot is what a stranger has been sent by the server: all that they can build requests of.
type loot struct {
	routes, targets, parties, ids []string
}

func (l *loot) take(r *Received) *Received {
	l.routes = append(l.routes, r.List("Record-Route")...)
	for _, c := range r.List("Contact") {
		l.targets = append(l.targets, strings.Trim(strings.SplitN(c, ">", 2)[0], "<"))
	}
	l.parties = append(l.parties, r.Header("From"), r.Header("To"))
	l.ids = append(l.ids, r.ID())
	return r
}

// TestReach has a stranger send a random sequence of requests, built of everything that the server has ever sent them:
// proofs, tokens, tags, Call-IDs, contacts. None reaches an address outside of what the model in SECURITY.md allows
// them, and none arrives in the name of a user of ours. REACH_SEED and REACH_COUNT run another sequence.
func TestReach(t *testing.T) {
	seed, count := uint64(1), 1500
	if s, err := strconv.ParseUint(os.Getenv("REACH_SEED"), 10, 64); err == nil {
		seed = s
	}
	if n, err := strconv.Atoi(os.Getenv("REACH_COUNT")); err == nil {
		count = n
	}
	t.Run("S1 S2 what a stranger has been sent opens no way", onStage(func(s *stage) {
		w := newReachWorld(s)
		w.gather()
		rng := rand.New(rand.NewPCG(seed, 2))
		tap := s.net.Wiretap()
		reached := 0
		for i := range count {
			w.send(rng)
			if i%50 == 49 {
				time.Sleep(4 * time.Minute)
				reached += w.judge(tap.Messages())
			}
		}
		time.Sleep(4 * time.Minute)
		reached += w.judge(tap.Messages())
		if reached == 0 {
			s.t.Error("nothing reached anybody: the sequence tries nothing")
		}
		s.t.Logf("seed %d: %d requests of a stranger's, %d forwarded", seed, count, reached)
	}, withPeers))
}

// reachWorld is who is there.
type reachWorld struct {
	*stage
	loot
	mallory []*Agent // the same stranger at two addresses
	others  []*Agent
	bob     *Agent
	stream  *Agent // u1, whose phone came by TCP
	gateway *Agent
	called  *Sent // the gateway's INVITE, within whose dialog the stranger may answer back
}

func newReachWorld(s *stage) *reachWorld {
	w := &reachWorld{stage: s}
	w.mallory = []*Agent{s.agent("mallory", mallory), s.agent("mallory", "192.0.2.67")}
	w.bob = s.phone()
	w.stream = s.agent("u1", "192.0.2.203", func(o *AgentOptions) {
		o.Domain, o.Password, o.Outbound = bed.Domain, bed.Password("u1"), s.Hop(tcp)
	})
	w.stream.Register()
	closed := s.agent("bob", closedAddress, func(o *AgentOptions) { o.Domain = closedDomain })
	closed.Register()
	w.gateway = s.agent("pstn", gatewayAddress, func(o *AgentOptions) { o.Outbound = s.Hop(tcp) })
	w.others = []*Agent{closed, w.gateway, s.agent("inner", innerAddress), s.agent("third", thirdAddress)}
	return w
}

// gather has the stranger be in calls of every kind, and keep what they see.
func (w *reachWorld) gather() {
	m := w.mallory[0]
	for _, end := range []struct {
		phone *Agent
		aor   string
	}{{w.bob, bobAOR}, {w.stream, "sip:u1@" + bed.Domain}} {
		for _, status := range []int{200, 486} {
			for _, contact := range []string{"", "<sip:x@" + innerAddress + ";transport=tcp>"} {
				var edits []Edit
				if contact != "" {
					edits = append(edits, Contact(contact))
				}
				invite := m.Invite(end.aor, edits...)
				offer := end.phone.Expect("INVITE")
				records := Line("Record-Route: " + strings.Join(offer.List("Record-Route"), ", "))
				end.phone.Reply(offer, 180)
				w.take(m.Expect(180))
				if status == 200 {
					end.phone.Reply(offer, 200)
					m.Dialog(invite, w.take(m.Expect(200))).Ack()
				} else {
					end.phone.Reply(offer, status, records) // some phones copy it into what is not a 2xx
					invite.Ack(w.take(m.Expect(status)))
				}
				end.phone.Expect("ACK")
			}
		}
	}
	// A user of ours, and the gateway, call the stranger.
	alice := w.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Domain = bed.Domain })
	invite := alice.Invite(m.ContactURI(udp))
	challenge := alice.Expect(407)
	invite.Ack(challenge)
	invite.Retry(alice.Credentials(challenge))
	w.called = w.gateway.Invite(m.ContactURI(udp), Contact("<"+w.gateway.ContactURI(tcp)+">"))
	for range 2 {
		m.Reply(w.take(m.Expect("INVITE")), 200)
	}
	time.Sleep(time.Minute)
	for _, a := range []*Agent{m, alice, w.gateway} {
		a.Drain()
	}
	w.parties = append(w.parties, "<sip:alice@"+bed.Domain+">;tag=1", "<sip:anonymous@anonymous.invalid>;tag=2", "<"+m.AOR()+">;tag=3")
	w.targets = append(w.targets, bobAOR, "sip:bob@"+closedDomain, "sip:+19005550100@"+bed.Domain, "sip:+19005550100@"+gatewayAddress,
		"sip:x@"+gatewayAddress+";transport=tcp", "sip:x@"+innerAddress, "sip:x@"+innerAddress+";transport=tcp", "sip:x@"+thirdAddress,
		"sip:bob@"+bed.Domain+";maddr="+innerAddress, "sip:192.0.2.222;lr", "sip:bob@192.0.2.222", "sip:x@"+thirdAddress+";maddr=192.0.2.222")
	w.routes = append(w.routes, "<sip:192.0.2.222;lr>", "<sip:"+innerAddress+";lr>", "<sip:"+closedAddress+">")
	w.ids = append(w.ids, "made-up")
}

func pick(rng *rand.Rand, list []string) string { return list[rng.IntN(len(list))] }

// send sends one request. Half of them stay close to a dialog that was: one or two things are changed.
func (w *reachWorld) send(rng *rand.Rand) {
	m := w.mallory[rng.IntN(2)]
	method := pick(rng, []string{"INVITE", "ACK", "BYE", "CANCEL", "MESSAGE", "REFER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "OPTIONS", "INFO", "UPDATE", "PRACK", "NEW"})
	hop := w.Hop([]sip.Transport{udp, udp, tcp}[rng.IntN(3)])
	d := &Dialog{Agent: m, Hop: hop, CSeq: rng.Uint32N(1000) + 10}
	i := rng.IntN(len(w.ids) - 1)
	d.CallID, d.Local, d.Remote = w.ids[i], w.parties[2*i], w.parties[2*i+1]
	if rng.IntN(4) == 0 {
		d.Local, d.Remote = d.Remote, d.Local
	}
	d.Target = pick(rng, w.targets)
	for range rng.IntN(4) {
		d.Routes = append(d.Routes, pick(rng, w.routes))
	}
	switch rng.IntN(8) {
	case 0:
		d.CallID = pick(rng, w.ids)
	case 1:
		d.Local = pick(rng, w.parties)
	case 2:
		d.Remote = pick(rng, w.parties)
	case 3: // a token of one with the proof of another
		if a, b := pick(rng, w.routes), pick(rng, w.routes); strings.Contains(a, ";") {
			_, rest, _ := strings.Cut(b, ";")
			head, _, _ := strings.Cut(a, ";")
			d.Routes = append(d.Routes, head+";"+rest)
		}
	}
	if !strings.Contains(d.Remote, "tag=") && rng.IntN(2) == 0 {
		d.Remote += ";tag=made-up"
	}
	d.Request(method)
}

// judge fails the test for each request of the stranger's that went where it may not, and counts what was forwarded.
func (w *reachWorld) judge(heard []*Tapped) (forwarded int) {
	server := netip.MustParseAddr("192.0.2.222")
	barred := []string{gatewayAddress, closedAddress, innerAddress, thirdAddress}
	for _, m := range heard {
		if m.From.Addr() != server || !m.IsRequest() {
			continue
		}
		forwarded++
		within := m.Header("Call-ID") == w.called.ID() && string(m.RequestURI()) == w.gateway.ContactURI(tcp) && m.To == w.gateway.Addr(tcp)
		if slices.Contains(barred, m.To.Addr().String()) && !within {
			w.t.Errorf("a stranger reaches %s:\n%s", m.To, m.Raw)
		}
		from, err := sip.ParseNameAddr([]byte(m.Header("From")))
		if err == nil && slices.Contains([]string{bed.Domain, closedDomain}, string(from.URI.Host)) && m.Method() != sip.Cancel {
			w.t.Errorf("in the name of %s:\n%s", from.URI.Raw(), m.Raw)
		}
	}
	for _, a := range append(append(w.others, w.mallory...), w.bob, w.stream) {
		a.Drain()
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
	return forwarded
}
