package conformance

import (
	cryptotls "crypto/tls"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// Who stands where on the path's network. biloxi.example.com is the server's own domain, and
// other.example.com somebody else's.
const (
	proxyAt = "192.0.2.222"
	aliceAt = "192.0.2.101"
	bobAt   = "192.0.2.201"
	otherAt = "192.0.2.77"
	thirdAt = "192.0.2.78"
	toBob   = "sip:bob@" + bed.Domain
)

// path is a server that requests go through, on a simulated network in a bubble.
type path struct {
	*bed.Bed
	t       *testing.T
	network *Network
	ca      *bed.Authority
	zone    *DNS
	tap     *Wiretap
}

// onPath runs fn with a server at proxyAt, on the well-known ports, and everything that is on the wire heard.
func onPath(t *testing.T, fn func(p *path), changes ...func(*config.Config)) {
	t.Helper()
	data, folder := t.TempDir(), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		p := &path{t: t, network: NewNetwork(), ca: bed.NewAuthority(t, folder), zone: NewDNS(t, `
			other.example.com. A `+otherAt+`
			third.example.com. A `+thirdAt)}
		p.tap = p.network.Wiretap()
		p.Bed = bed.Start(t, bed.Options{Network: p.network, Address: proxyAt, Data: data, CA: p.ca, DNS: p.zone,
			Config: together(append([]func(*config.Config){wellKnownPorts}, changes...))})
		fn(p)
	})
}

// trusting has the server forward whatever comes from alice.
func trusting(c *config.Config) {
	c.Proxy.Trusted = append(c.Proxy.Trusted, config.Prefix(netip.MustParsePrefix(aliceAt+"/32")))
}

// transports are those that a caller may use in the clear.
var transports = []sip.Transport{udp, tcp}

// alice is a caller of a domain that the server does not serve, who sends to it over a transport.
func (p *path) alice(transport sip.Transport) *Agent {
	p.t.Helper()
	return p.Agent(p.t, AgentOptions{Address: aliceAt, User: "alice", Domain: "atlanta.example.com", Outbound: p.Hop(transport)})
}

// bob is the agent at bobAt, whom the server has bound to these contacts; none: his own for UDP.
func (p *path) bob(contacts ...string) *Agent {
	p.t.Helper()
	bob := p.Agent(p.t, AgentOptions{Address: bobAt, User: "bob"})
	if len(contacts) == 0 {
		contacts = []string{"<" + bob.ContactURI(udp) + ">"}
	}
	p.Bind(p.t, "bob", contacts...)
	return bob
}

// stranger is an agent of no domain of the server's, with a certificate for the names, if there are any.
func (p *path) stranger(user, address string, names ...string) *Agent {
	p.t.Helper()
	opt := AgentOptions{Address: address, User: user, Domain: "other.example.com"}
	if len(names) > 0 {
		opt.TLS = &cryptotls.Config{Certificates: []cryptotls.Certificate{p.ca.Certificate(names...)}}
	}
	return p.Agent(p.t, opt)
}

// answered has the call of invite taken by who got it as offer, and returns both sides of the dialog.
func (p *path) answered(invite *Sent, callee *Agent, offer *Received) (calling, called *Dialog) {
	p.t.Helper()
	callee.Reply(offer, 200)
	calling = invite.Agent.Dialog(invite, invite.Agent.Expect("200 INVITE"))
	calling.Ack()
	callee.Expect("ACK")
	return calling, callee.Answered(offer)
}

// sent is what the server has sent since the last call that is of a method.
func (p *path) sent(method string) (list []*Tapped) {
	p.t.Helper()
	synctest.Wait()
	for _, m := range p.tap.Messages() {
		if m.From.Addr().String() == proxyAt && m.IsRequest() && string(m.Method()) == method {
			list = append(list, m)
		}
	}
	return list
}

// quiet fails the test if something comes to an agent in the time that a request may take.
func quiet(agents ...*Agent) {
	for _, a := range agents {
		a.T.Helper()
		a.ExpectNothing(time.Second)
	}
}
