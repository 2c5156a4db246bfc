package conformance

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
	"biloxi/siptest"
	"biloxi/test/bed"
	"biloxi/transaction"
)

// stage is a server on a simulated network in a bubble, as of simulate, and a caller of another domain: alice, over
// UDP. bob is a user of the server's.
type stage struct {
	*bed.Bed
	t     *testing.T
	net   *siptest.Network
	dns   *siptest.DNS
	alice *siptest.Agent
}

// The caller's domain, and the address-of-record that she calls.
const (
	foreign = "atlanta.example.org"
	bobAOR  = "sip:bob@" + bed.Domain
)

// onStage is a subtest with a stage of its own.
func onStage(script func(s *stage), changes ...func(*config.Config)) func(*testing.T) {
	return onStageTimed(transaction.Timers{}, script, changes...)
}

// onStageTimed is onStage with other timers.
func onStageTimed(timers transaction.Timers, script func(s *stage), changes ...func(*config.Config)) func(*testing.T) {
	return func(t *testing.T) {
		ca, data := bed.NewAuthority(t, t.TempDir()), t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			s := &stage{t: t, net: siptest.NewNetwork(), dns: siptest.NewDNS(t, "")}
			s.Bed = bed.Start(t, bed.Options{Network: s.net, Address: "192.0.2.222", Data: data, DNS: s.dns, Timers: timers, CA: ca,
				Config: together(append([]func(*config.Config){wellKnownPorts}, changes...))})
			s.alice = s.agent("alice", "192.0.2.101")
			script(s)
			s.Stop()
		})
	}
}

// agent is one of another domain than the server's; changes say more of it.
func (s *stage) agent(user, address string, changes ...func(*siptest.AgentOptions)) *siptest.Agent {
	s.t.Helper()
	opt := siptest.AgentOptions{User: user, Address: address, Domain: foreign}
	for _, change := range changes {
		change(&opt)
	}
	return s.Agent(s.t, opt)
}

// at is the address of the phone of bob's with number i, from 0.
func at(i int) string { return fmt.Sprintf("192.0.2.%d", 201+i) }

// phones are phones of bob's, bound with a q each, at addresses in this order.
func (s *stage) phones(qs ...string) (list []*siptest.Agent) {
	s.t.Helper()
	var contacts []string
	for i, q := range qs {
		list = append(list, s.agent("bob", at(i)))
		contacts = append(contacts, fmt.Sprintf("<%s>;q=%s", list[i].ContactURI(udp), q))
	}
	s.Bind(s.t, "bob", contacts...)
	return list
}

// phone is the only phone of bob's.
func (s *stage) phone() *siptest.Agent {
	s.t.Helper()
	return s.phones("1")[0]
}

// answers has a phone of bob's answer a request, so that the server knows that it is there: to an address that nobody
// registered from, and that has never answered, a request goes a few times only.
func (s *stage) answers(bob *siptest.Agent) {
	s.t.Helper()
	s.alice.Request("MESSAGE", bobAOR)
	bob.Reply(bob.Expect("MESSAGE"), 200)
	s.alice.Expect(200)
}

// silent fails the test if something is there for one of the agents after d.
func silent(d time.Duration, agents ...*siptest.Agent) {
	time.Sleep(d)
	for _, a := range agents {
		a.T.Helper()
		a.ExpectNothing(0)
	}
}

// refuse answers an INVITE with a final response and takes the ACK that the server gives it.
func refuse(offer *siptest.Received, status int, edits ...siptest.Edit) {
	offer.T.Helper()
	offer.Agent.Reply(offer, status, edits...)
	offer.Agent.Expect("ACK")
}

// give has a phone answer the CANCEL of an INVITE, and the INVITE with 487.
func give(offer *siptest.Received) {
	offer.T.Helper()
	offer.Agent.Reply(offer.Agent.Expect("CANCEL"), 200)
	refuse(offer, 487)
}
