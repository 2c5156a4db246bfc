package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
)

// TestFaultP2: a phone that sends no rport is answered where it hears the answer.
func TestFaultP2(t *testing.T) {
	const source, behind = "203.0.113.9", 40001 // of the NAT
	ask := func(s *stage, sentBy string, edits ...Edit) (at *Phone) {
		s.t.Helper()
		c, err := s.net.Host(source).ListenPacket(behind)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { c.Close() })
		p := phoneOf(s.t, s.Bed, sip.UDP, "bob")
		p.Conn = OverPacket(c, s.Addr(udp))
		p.Start(append(edits, Via("SIP/2.0/UDP "+sentBy+";branch=z9hG4bK"+Token()))...)
		return p
	}
	// listener is what hears at a port of the source.
	listener := func(s *stage, port uint16) *Phone {
		s.t.Helper()
		c, err := s.net.Host(source).ListenPacket(port)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { c.Close() })
		p := phoneOf(s.t, s.Bed, sip.UDP, "bob")
		p.Conn = OverPacket(c, s.Addr(udp))
		return p
	}
	for _, sentBy := range []string{"10.1.2.3:5060", "192.168.1.20", "172.16.0.1:5999", "127.0.0.1:5060", "169.254.3.4:5060", "100.64.7.7:5060", "0.0.0.0:5060",
		"[fd00::7]:5060", "[fe80::1]:5060", "[::1]", "[::ffff:10.1.2.3]:5060", "phone.local:5060", "phone.example.com"} {
		t.Run("P2 answered to the source of "+sentBy, onStage(func(s *stage) {
			p := ask(s, sentBy)
			r := p.Receive().Expect(401)
			if v := topVia(r); !strings.HasSuffix(v, ";received="+source) || strings.Contains(v, "rport") || !strings.Contains(v, sentBy) {
				r.Fatalf("the Via is not as it came, with received")
			}
		}))
	}
	for _, sentBy := range []string{source + ":5060", source, "[::ffff:" + source + "]:5060", "198.51.100.7:5060"} {
		t.Run("P2 answered at the port of sent-by of "+sentBy, onStage(func(s *stage) {
			// One that sends from another port than it listens to, and a server at another address of its host.
			hears := listener(s, 5060)
			p := ask(s, sentBy)
			hears.Receive().Expect(401)
			p.Silence(time.Second)
		}))
	}
	t.Run("P2 registered and called", onStage(func(s *stage) {
		p := ask(s, "10.1.2.3:5060")
		p.Receive().Expect(401)
		p.Register(Contact("<sip:bob@10.1.2.3:5060>"), Via("SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bK"+Token())).Expect(200)
		s.alice.Invite(bobAOR)
		b, err := p.Conn.Receive(time.Second)
		if err != nil || !strings.HasPrefix(string(b), "INVITE ") {
			s.t.Fatalf("%q, %v", b, err)
		}
	}))
	t.Run("P2 a forwarded response", onStage(func(s *stage) {
		bob := s.phone()
		p := ask(s, "10.1.2.3:5060", Method("OPTIONS"), URI(bobAOR), From("<sip:carol@"+foreign+">;tag=1"), To("<"+bobAOR+">"))
		bob.Reply(bob.Expect("OPTIONS"), 200)
		p.Receive().Expect(200)
	}))
	t.Run("P2 what cannot be read", onStage(func(s *stage) {
		ask(s, "10.1.2.3:5060", Replace("CSeq", "one REGISTER")).Receive().Expect(400)
	}))
	t.Run("P2 always", onStage(func(s *stage) {
		ask(s, source+":5060").Receive().Expect(401)
	}, func(c *config.Config) { c.Transport.RPort = config.RPortAlways }))
	t.Run("P2 never", onStage(func(s *stage) {
		hears := listener(s, 5060)
		p := ask(s, "10.1.2.3:5060")
		hears.Receive().Expect(401)
		p.Silence(time.Second)
	}, func(c *config.Config) { c.Transport.RPort = config.RPortNever }))
	t.Run("P2 a reload changes it", onStage(func(s *stage) {
		c := s.Config
		c.Transport.RPort = config.RPortAlways
		if err := s.Server.Reload(c); err != nil {
			s.t.Fatal(err)
		}
		ask(s, source+":5060").Receive().Expect(401)
	}))
}
