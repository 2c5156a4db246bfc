package bed

import (
	"testing"

	"biloxi/server"
	"biloxi/sip"
	"biloxi/siptest"
)

// calls gives a server what it needs to forward: how it dials, what it asks for names, its timers.
func (o *Options) calls(to *server.Options) {
	to.Exchanger, to.Timers, to.Wall = o.DNS, o.Timers, o.Wall
	if o.Network != nil {
		to.Dial = o.Network.Dial
	}
}

// Agent is an agent for calls at an IP address of the bed's network, whose requests go to the server by
// UDP unless opt says otherwise. opt names its user and address; what else it leaves out is the bed's: the
// domain, the user's password, the CA.
func (b *Bed) Agent(t testing.TB, opt siptest.AgentOptions) *siptest.Agent {
	t.Helper()
	if opt.Sockets == nil && b.network != nil {
		opt.Sockets = b.network
	}
	if opt.Address == "" {
		opt.Address = "127.0.0.1" // the real network
	}
	if opt.Domain == "" {
		opt.Domain = b.Config.Domains[0].Name
	}
	if opt.Password == "" {
		opt.Password = Password(opt.User)
	}
	if opt.Outbound.Transport == sip.NoTransport {
		opt.Outbound = b.Hop(sip.UDP)
	}
	if opt.ClientTLS == nil {
		opt.ClientTLS = b.TLS()
	}
	return siptest.NewAgent(t, opt)
}

// Hop is where agents send to so that it reaches the server.
func (b *Bed) Hop(t sip.Transport) siptest.Hop {
	b.t.Helper()
	return siptest.Over(t, b.Addr(t).String())
}

// Bind registers contacts for a user of the first domain, whatever was bound before: each is the value of a
// Contact, "<sip:bob@192.0.2.201>;q=0.5".
func (b *Bed) Bind(t testing.TB, user string, contacts ...string) {
	t.Helper()
	c := b.ListenPacket(t)
	p := siptest.NewPhone(t, siptest.OverPacket(c, b.Addr(sip.UDP)), user, b.Config.Domains[0].Name, Password(user))
	p.Register(siptest.Contact(contacts...)).Expect(200)
	c.Close()
}
