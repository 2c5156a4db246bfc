package conformance

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestInviteFlood: INVITEs from many sources to a phone that says nothing hold memory at the cap. What is over it gets
// 503 with Retry-After, a call that is up ends as it should, and the registrar answers as ever.
func TestInviteFlood(t *testing.T) {
	const most, invites, sources = 1000, 6000, 40
	onStage(func(s *stage) {
		t := s.t
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		bob.Expect("ACK")

		// The mute phone is another user's, so that bob's hears nothing of the flood.
		mute, err := s.net.ListenPacket("udp", "192.0.2.240:5060")
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
		s.Bind(t, "u0", "<sip:u0@192.0.2.240>")
		var list []net.PacketConn
		for i := range sources {
			c, err := s.net.ListenPacket("udp", fmt.Sprintf("192.0.2.%d:5070", 1+i))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			list = append(list, c)
		}
		server := net.UDPAddrFromAddrPort(s.Addr(udp))
		before := heap()
		flood := func(round int) {
			for i := range invites {
				c := list[i%sources]
				fmt.Fprintf(writer{c, server}, "INVITE sip:u0@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d.%d\r\n"+
					"Max-Forwards: 70\r\nFrom: <sip:x@%s>;tag=%[4]d\r\nTo: <sip:u0@%[1]s>\r\nCall-ID: %[3]d.%[4]d\r\nCSeq: 1 INVITE\r\n"+
					"Contact: <sip:x@192.0.2.1>\r\nContent-Type: application/sdp\r\n\r\n%[6]s",
					bed.Domain, c.LocalAddr(), round, i, foreign, strings.Repeat("v", 600))
			}
		}
		flood(1)
		p := NewPhone(t, OverPacket(s.ListenPacket(t), s.Addr(udp)), "alice", bed.Domain, bed.Password("alice"))
		p.Register(Contact("<sip:alice@192.0.2.77>")).Expect(200)
		first := heap() - before
		flood(2)
		p.Register(Contact("<sip:alice@192.0.2.77>")).Expect(200)
		st := s.Server.Status()
		if n := st.Transactions.Servers + st.Transactions.Clients; n > most+most/4 || n < most/2 {
			t.Errorf("%d transactions are held with a cap of %d", n, most)
		}
		if st.Counters.Refused["overload"] < invites {
			t.Errorf("%d of %d INVITEs were refused for the load", st.Counters.Refused["overload"], 2*invites)
		}
		if first > 12<<20 {
			t.Errorf("the first flood took %d bytes", first)
		}
		if grown := heap() - before - first; grown > 4<<20 {
			t.Errorf("the second flood took %d bytes more", grown)
		}
		seen := 0
		for _, got := range arrivedAt(t, list) {
			if strings.HasPrefix(got, "SIP/2.0 503 ") {
				seen++
				if !strings.Contains(got, "\r\nRetry-After: ") {
					t.Fatalf("no Retry-After in\n%s", got)
				}
			}
		}
		if seen == 0 {
			t.Error("nobody got 503")
		}
		call.Bye()
		bob.Reply(bob.Expect("BYE"), 200)
		s.alice.Expect("200 BYE")
	}, func(c *config.Config) { c.Proxy.MaxTransactions = most })(t)
}

// writer sends to one address.
type writer struct {
	net.PacketConn
	to net.Addr
}

func (w writer) Write(b []byte) (int, error) { return w.WriteTo(b, w.to) }

// arrivedAt takes what is there for sockets.
func arrivedAt(t *testing.T, list []net.PacketConn) (all []string) {
	t.Helper()
	buf := make([]byte, 1<<16)
	for _, c := range list {
		for {
			c.SetReadDeadline(time.Now().Add(time.Millisecond))
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				break
			}
			all = append(all, string(buf[:n]))
		}
	}
	return all
}
