package conformance

import (
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// registrant registers contacts for bob from an address, and nobody can connect to it.
func (s *venue) registrant(transport sip.Transport, address string, contacts ...string) *Agent {
	s.t.Helper()
	a := s.secure("bob", address, s.through(transport), func(o *AgentOptions) {
		o.Domain, o.Password, o.Without = bed.Domain, bed.Password("bob"), []sip.Transport{tcp, tls}
	})
	first := a.Request("REGISTER", "sip:"+bed.Domain, To("<"+bobAOR+">"), Contact(contacts...))
	first.Retry(a.Credentials(a.Expect(401)))
	a.Expect(200)
	return a
}

// TestFaultP7: where a contact is called.
func TestFaultP7(t *testing.T) {
	const public, private, beside = "192.0.2.150", "10.1.2.3", "10.1.2.4"
	for _, c := range []struct {
		name      string
		transport sip.Transport
		from      string // that it is registered from
		contact   string
		at        string // where somebody listens who may be called
		flow      bool   // the one who registered is
	}{
		{"a name that no DNS has", udp, public, "sip:bob@phone.local", public, true},
		{"a name that no DNS has, over TCP", tcp, public, "sip:bob@phone.local", "", true},
		{"a name without a domain", udp, public, "sip:bob@phone", "", true},
		{"a name that DNS does not know", udp, public, "sip:bob@gone.example.net", "", true},
		{"a name that DNS does not know, over TLS", tls, public, "sip:bob@gone.example.net", "", true},
		{"a name that DNS knows", udp, public, "sip:bob@phone.example.net", "192.0.2.160", false},
		{"a name that DNS knows, over TCP", tcp, public, "sip:bob@phone.example.net;transport=tcp", "192.0.2.160", false},
		{"a name of the connection's own end", tcp, "192.0.2.160", "sip:bob@phone.example.net;transport=tcp", "", true},
		{"a host of the same private network", udp, private, "sip:bob@" + beside, beside, false},
		{"a host of the same private network, over TCP", tcp, private, "sip:bob@" + beside + ";transport=tcp", beside, false},
		{"a loopback", udp, "127.0.0.9", "sip:bob@127.0.0.8", "127.0.0.8", false},
		{"a private address behind a NAT", udp, public, "sip:bob@" + private, private, true},
		{"a private address behind a NAT, over TCP", tcp, public, "sip:bob@" + private + ";transport=tcp", private, true},
		{"a private address behind a NAT, of another transport", udp, public, "sip:bob@" + private + ";transport=tcp", private, true},
		{"a private network behind another", udp, "192.168.2.7", "sip:bob@192.168.1.7", "192.168.1.7", true},
		{"a loopback behind a NAT", udp, public, "sip:bob@127.0.0.8", "127.0.0.8", true},
		{"another host", udp, public, "sip:bob@192.0.2.160", "192.0.2.160", false},
		{"another host, over TCP", tcp, public, "sip:bob@192.0.2.160;transport=tcp", "192.0.2.160", false},
		{"another host, over TLS", tls, public, "sip:bob@192.0.2.160;transport=tcp", "192.0.2.160", false},
		{"another host that nobody answers at, over TCP", tcp, public, "sip:bob@192.0.2.161;transport=tcp", "", true},
		{"the connection's own end", tcp, public, "sip:bob@" + public + ";transport=tcp", "", true},
		{"a name in .invalid", udp, public, "sip:bob@x1y2.invalid", "", true},
		{"a name in .invalid, over TLS", tls, public, "sip:bob@x1y2.invalid;transport=ws", "", true},
		{"a WebSocket's", tcp, public, "sip:bob@192.0.2.160;transport=ws", "192.0.2.160", true},
	} {
		play(t, "P7 "+c.name, func(s *venue) {
			s.dns.Add(s.t, "phone.example.net. A 192.0.2.160")
			phone := s.registrant(c.transport, c.from, "<"+c.contact+">")
			called := phone
			if c.at != "" && c.at != c.from {
				there := s.agent("bob", c.at)
				defer there.Close()
				if !c.flow {
					called, phone = there, nil
				} else {
					defer silent(time.Minute, there)
				}
			}
			invite := s.alice.Invite(bobAOR)
			offer := called.Expect("INVITE")
			if c.flow && offer.Hop.Transport != c.transport {
				offer.Fatalf("not over the flow")
			}
			called.Reply(offer, 200)
			call := s.alice.Dialog(invite, s.alice.Expect(200))
			call.Ack()
			called.Expect("ACK")
			call.Bye()
			called.Reply(called.Expect("BYE"), 200)
			s.alice.Expect(200)
			if phone == nil {
				return
			}
			// Where the flow is the only way, and a connection, its end is the phone's.
			if c.transport == udp {
				return
			}
			phone.Close()
			time.Sleep(time.Second)
			if status := s.final("INVITE", bobAOR); status != 480 {
				s.t.Errorf("the connection has closed: %d", status)
			}
		})
	}
	for name, contact := range map[string]string{"the phone's own port": "sip:bob@192.0.2.150;transport=tcp", "another host": "sip:bob@192.0.2.160;transport=tcp",
		"a name": "sip:bob@phone.example.net;transport=tcp"} {
		play(t, "P7 the connection has closed, and somebody listens at "+name, func(s *venue) {
			s.dns.Add(s.t, "phone.example.net. A 192.0.2.160")
			phone := s.registrant(tcp, "192.0.2.150", "<"+contact+">")
			phone.Close()
			time.Sleep(time.Second)
			address := "192.0.2.160"
			if name == "the phone's own port" {
				address = "192.0.2.150"
			}
			there := s.agent("bob", address)
			s.alice.Request("MESSAGE", bobAOR)
			offer := there.Expect("MESSAGE").WantURI(contact)
			if offer.Hop.Transport != tcp {
				offer.Fatalf("not over TCP")
			}
			there.Reply(offer, 200)
			s.alice.Expect(200)
		})
	}
}
