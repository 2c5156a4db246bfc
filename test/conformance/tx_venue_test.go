package conformance

import (
	cryptotls "crypto/tls"
	"net/netip"
	"testing"
	"testing/synctest"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
	"biloxi/transaction"
)

// venue is a stage whose agents may have certificates.
type venue struct {
	stage
	ca *bed.Authority
}

// play is the subtest of a row, or of several, at a venue of its own.
func play(t *testing.T, rows string, script func(s *venue), changes ...func(*config.Config)) {
	t.Helper()
	playTimed(t, rows, transaction.Timers{}, script, changes...)
}

// playTimed is play with other timers.
func playTimed(t *testing.T, rows string, timers transaction.Timers, script func(s *venue), changes ...func(*config.Config)) {
	t.Helper()
	t.Run(rows, func(t *testing.T) {
		ca, data := bed.NewAuthority(t, t.TempDir()), t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			s := &venue{stage: stage{t: t, net: NewNetwork(), dns: NewDNS(t, "")}, ca: ca}
			s.Bed = bed.Start(t, bed.Options{Network: s.net, Address: "192.0.2.222", Data: data, DNS: s.dns, Timers: timers, CA: ca,
				Config: together(append([]func(*config.Config){wellKnownPorts}, changes...))})
			s.alice = s.agent("alice", "192.0.2.101")
			script(s)
			s.Stop()
		})
	})
}

// through has an agent's requests go to the server over a transport.
func (s *venue) through(transport sip.Transport) func(*AgentOptions) {
	return func(o *AgentOptions) { o.Outbound = s.Hop(transport) }
}

// reached is a phone of bob's that is bound with a contact for a transport.
func (s *venue) reached(transport sip.Transport) *Agent {
	s.t.Helper()
	bob := s.agent("bob", at(0))
	s.Bind(s.t, "bob", "<"+bob.ContactURI(transport)+">")
	return bob
}

// secure is an agent that listens to TLS too.
func (s *venue) secure(user, address string, changes ...func(*AgentOptions)) *Agent {
	s.t.Helper()
	return s.agent(user, address, append(changes, func(o *AgentOptions) {
		o.TLS = &cryptotls.Config{Certificates: []cryptotls.Certificate{s.ca.Certificate(user+".example.com", address)}}
	})...)
}

// trustEverybody has the server relay for whoever is in the tests' network.
func trustEverybody(c *config.Config) {
	c.Proxy.Trusted = []config.Prefix{config.Prefix(netip.MustParsePrefix("192.0.2.0/24"))}
}
