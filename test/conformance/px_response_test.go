package conformance

import (
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestResponses: what becomes of the responses of one branch (RFC 3261 §16.7, RFC 6026 §7).
func TestResponses(t *testing.T) {
	t.Run("PX-052", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		ringing := s.alice.Expect(180)
		if vias := ringing.List("Via"); len(vias) != 1 || ringing.Branch() != invite.Branch() {
			ringing.Fatalf("not alice's Via alone")
		}
		s.alice.Drain()
		own := offer.List("Via")[0]
		for _, status := range []int{183, 200, 486} {
			bob.Reply(offer, status, Replace("Via", own))
		}
		silent(2*time.Second, s.alice)
		// The call is not harmed. R5: who sends nothing better has his branch ended.
		bob.Reply(offer, 200)
		s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
		bob.Expect("ACK")
	}))
	t.Run("PX-055", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		for _, status := range []int{180, 183, 199, 180} {
			time.Sleep(time.Second)
			sent := time.Now()
			bob.Reply(offer, status)
			if r := s.alice.Expect(status); r.At.Sub(sent) >= 50*time.Millisecond {
				r.Fatalf("it took %v", r.At.Sub(sent))
			}
		}
	}))
	t.Run("PX-056", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		s.alice.Expect("100 INVITE")
		bob.Reply(offer, 100)
		bob.Reply(offer, 100, Line("Server: bob"))
		silent(time.Minute, s.alice)
	}))
	t.Run("PX-065", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		for i, status := range []int{180, 183, 200, 200} {
			tag := []string{"one", "two", "two", "three"}[i]
			bob.SetTag(offer.ID(), tag)
			bob.Reply(offer, status)
			if r := s.alice.Expect(status); r.ToTag() != tag {
				r.Fatalf("the tag is %s, want %s", r.ToTag(), tag)
			}
		}
		s.alice.Invite(bobAOR)
		offer = bob.Expect("INVITE")
		bob.Reply(offer, 180, To(offer.Header("To"))) // RFC 2543 had no tag
		if r := s.alice.Expect(180); r.ToTag() != "" {
			r.Fatalf("a tag was put in")
		}
	}))
	t.Run("PX-066", onStage(func(s *stage) {
		bob := s.phone()
		for _, status := range []int{302, 404, 486, 500, 603} {
			invite := s.alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.SetTag(offer.ID(), "bobs")
			refuse(offer, status)
			r := s.alice.Expect(status)
			if r.ToTag() != "bobs" {
				r.Fatalf("the tag is %s", r.ToTag())
			}
			invite.Ack(r)
		}
		// A request within a dialog keeps its tag, also where the server answers for a phone.
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack()
		tag := bob.Expect("ACK").ToTag()
		again := call.Request("INVITE")
		refuse(bob.Expect("INVITE"), 503)
		r := s.alice.Expect(500)
		if r.ToTag() != tag {
			r.Fatalf("the tag is %s, want %s", r.ToTag(), tag)
		}
		again.Ack(r)
		again = call.Request("INVITE")
		bob.Expect("INVITE")
		if r := s.alice.ExpectWithin(time.Minute, 408); r.ToTag() != tag {
			r.Fatalf("the tag is %s, want %s", r.ToTag(), tag)
		}
		_ = again
	}))
	t.Run("PX-069", onStage(func(s *stage) {
		bob := s.phone()
		odd := []Edit{
			Line("Warning: 399 bob \"a, b\"", "X-Unknown:   kept  as it is ", "x-unknown: twice", "Server: bob\t1", "Supported: a,b", "k: c",
				"P-Charging-Vector: icid-value=1", "Retry-After: 5 (at lunch)", "Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx;received=203.0.113.9"),
			Body("application/octet-stream", "\x00\x01\xff\r\n\r\nSIP/2.0 200 OK\r\n"),
		}
		for _, status := range []int{183, 486, 200} {
			// From behind two more proxies, the next of which is known by another address than it says.
			invite := s.alice.Invite(bobAOR, Top("Via: SIP/2.0/UDP upstream.example.net:5060;branch=z9hG4bKup"+Token()),
				Line("Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKfar;received=198.51.100.8;rport=7"))
			offer := bob.Expect("INVITE")
			sent := bob.Reply(offer, status, odd...)
			want := strings.Replace(sent, "Via: "+offer.List("Via")[0]+"\r\n", "", 1)
			r := s.alice.Expect(status).Carries("Via", "upstream.example.net:5060").Carries("Via", ";received=192.0.2.101").
				Carries("Via", ";received=198.51.100.8;rport=7")
			if r.Raw != want || len(sent) == len(want) {
				r.Fatalf("not what was sent but for the topmost Via:\n%s", sent)
			}
			switch status {
			case 183:
				refuse(offer, 480)
				invite.Ack(s.alice.Expect(480))
			case 486:
				bob.Expect("ACK")
				invite.Ack(r)
			}
		}
	}))
	t.Run("PX-084", onStage(func(s *stage) {
		// Over TCP too, where nothing is lost.
		for _, transport := range []string{"", ";transport=tcp"} {
			user := s.User()
			bob := s.agent(user, "192.0.2.20"+user[1:])
			s.Bind(s.t, user, "<sip:"+user+"@"+bob.Address+transport+">")
			invite := s.alice.Invite("sip:" + user + "@" + bed.Domain)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 486)
			ack := bob.Expect("ACK").WantURI(offer.URI())
			if ack.Branch() != offer.Branch() || len(ack.List("Via")) != 1 || ack.CSeqNumber() != offer.CSeqNumber() {
				ack.Fatalf("not the ACK of the transaction:\n%s", offer.Raw)
			}
			if bob.Reply(offer, 486); transport == "" {
				bob.Expect("ACK") // of what came again
			} else {
				silent(0, bob)
			}
			invite.Ack(s.alice.Expect(486))
			silent(time.Minute, s.alice, bob) // nor is alice's ACK passed on
		}
	}))
	t.Run("PX-086", onStage(func(s *stage) {
		s.phone()
		for in, want := range map[string]string{"54": "54", "54.321": "54.321", "54.321 0.2": "54.321"} {
			s.alice.Invite(bobAOR, Line("Timestamp: "+in))
			r := s.alice.Expect(100)
			got, _, _ := strings.Cut(r.Header("Timestamp"), " ")
			if got != want || len(r.Values("Timestamp")) != 1 {
				r.Fatalf("Timestamp is %q, want %q", r.Values("Timestamp"), want)
			}
		}
		s.alice.Invite(bobAOR)
		s.alice.Expect(100).Lacks("Timestamp")
	}))
	t.Run("PX-089", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		s.alice.Expect(100)
		// A response of nobody's asking, another branch, another method, and one whose transaction is over.
		bob.Send(bob.Outbound, []byte(strings.ReplaceAll(strings.Join([]string{"SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.222;branch=z9hG4bKstray",
			"Via: " + offer.List("Via")[1], "From: <sip:a@b>;tag=1", "To: <sip:c@d>;tag=2", "Call-ID: x", "CSeq: 1 INVITE", "Content-Length: 0", "", ""}, "\n"), "\n", "\r\n")))
		bob.Reply(offer, 200, Rewrite(offer.Branch(), offer.Branch()+"x"))
		bob.Reply(offer, 200, CSeqMethod("OPTIONS"))
		bob.Reply(offer, 200, CSeqMethod("CANCEL"))
		silent(time.Second, s.alice)
		bob.Reply(offer, 200)
		s.alice.Expect(200)
		time.Sleep(40 * time.Second) // Timer M
		bob.Reply(offer, 200)
		silent(time.Minute, s.alice)
	}))
	t.Run("PX-090", onStage(func(s *stage) {
		bob := s.phone()
		invite := s.alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		s.alice.Expect(200)
		for range 5 {
			time.Sleep(6 * time.Second)
			invite.Again()
			silent(0, bob, s.alice)
		}
		bob.Reply(offer, 200) // it is still passed on
		s.alice.Expect(200)
	}))
}

// TestUpstream: where requests and responses of a call go when the side of the caller is another transport, or gone.
func TestUpstream(t *testing.T) {
	t.Run("PX-068", onStage(func(s *stage) {
		alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Outbound = s.Hop(tls) })
		bob := s.agent("bob", "192.0.2.201")
		s.Bind(s.t, "bob", "<"+bob.ContactURI(tcp)+">")
		// A phone that writes transport=tls gets that: the next test.
		invite := alice.Invite(bobAOR, Contact("<sip:alice@192.0.2.102>"))
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		ok := alice.Expect(200)
		routes := ok.List("Record-Route")
		if up := routes[len(routes)-1]; !strings.HasPrefix(up, "<sips:") {
			ok.Fatalf("the Record-Route towards alice is %s", up)
		}
		if down := routes[0]; !strings.HasPrefix(down, "<sip:") || !strings.Contains(down, ";transport=tcp") {
			ok.Fatalf("the Record-Route towards bob is %s", down)
		}
		// Both find their way back.
		call := alice.Dialog(invite, ok)
		call.Ack()
		bob.Expect("ACK").WantURI(bob.ContactURI(tcp))
		alice.Reply(bye(bob.Answered(offer), alice), 200)
		bob.Expect("200 BYE")
	}))
	// docs/peers.md: baresip knows no Route with sips, and so would send neither ACK nor BYE.
	t.Run("a phone that writes transport=tls", onStage(func(s *stage) {
		alice := s.agent("alice", "192.0.2.102", func(o *AgentOptions) { o.Outbound = s.Hop(tls) })
		bob := s.agent("bob", "192.0.2.201")
		s.Bind(s.t, "bob", "<"+bob.ContactURI(tcp)+">")
		invite := alice.Invite(bobAOR)
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 200)
		ok := alice.Expect(200)
		routes := ok.List("Record-Route")
		if up := routes[len(routes)-1]; !strings.HasPrefix(up, "<sip:") || !strings.Contains(up, ";transport=tls;") {
			ok.Fatalf("the Record-Route towards alice is %s", up)
		}
		alice.Dialog(invite, ok).Ack()
		bob.Expect("ACK").WantURI(bob.ContactURI(tcp))
		alice.Reply(bye(bob.Answered(offer), alice), 200)
		bob.Expect("200 BYE")
	}))
	t.Run("a long call of somebody unknown", onStage(func(s *stage) {
		bob := s.phone()
		call := func(address string, over func(*AgentOptions)) {
			carol := s.agent("carol", address, over)
			invite := carol.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 200)
			carol.Dialog(invite, carol.Expect(200)).Ack()
			bob.Expect("ACK")
			// Longer than a connection on which nothing is authenticated may be open.
			time.Sleep(10 * time.Minute)
			carol.Reply(bye(bob.Answered(offer), carol), 200)
			bob.Expect("200 BYE")
		}
		call("192.0.2.111", func(o *AgentOptions) { o.Outbound = s.Hop(tcp) })
		call("192.0.2.112", func(o *AgentOptions) { o.Outbound = s.Hop(tls) })
	}))
	t.Run("PX-074/T10", onStage(func(s *stage) {
		for _, status := range []int{180, 200} {
			alice := s.agent("alice", "192.0.2.10"+map[int]string{180: "2", 200: "3"}[status], func(o *AgentOptions) {
				o.Outbound, o.Without = s.Hop(tcp), append(o.Without, udp, tcp)
			})
			bob := s.phone()
			alice.Invite(bobAOR)
			offer := bob.Expect("INVITE")
			bob.Reply(offer, 180)
			alice.Expect(180)
			alice.Hang()
			silent(time.Second, bob)
			bob.Reply(offer, status)
			silent(170*time.Second, bob) // before Timer C
			if status == 180 {
				refuse(offer, 486)
			}
			bob.Close()
		}
		s.alice.Request("OPTIONS", "sip:"+bed.Domain)
		s.alice.Expect(200)
	}))
}

// bye has one side hang up, and returns the BYE that comes to the other.
func bye(d *Dialog, other *Agent) *Received {
	other.T.Helper()
	d.Bye()
	return other.Expect("BYE")
}

// TestRecursion: what a 3xx leads to (RFC 3261 §16.7 step 4).
func TestRecursion(t *testing.T) {
	recurse := func(c *config.Config) { c.Proxy.Recurse = true }
	t.Run("PX-053", onStage(func(s *stage) {
		bob, moved := s.phone(), s.agent("bob", "192.0.2.250")
		there := moved.ContactURI(udp)
		invite := s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 302, Contact("<"+there+">"))
		refuse(moved.Expect("INVITE").WantURI(there), 486)
		r := s.alice.Expect(486)
		if strings.Contains(r.Raw, there) {
			r.Fatalf("the contact that was tried is in it")
		}
		invite.Ack(r)
		// What is left of a 302 is the best response of the second, of a higher class.
		invite = s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 302, Contact("<"+there+">;q=0.9, <mailto:bob@example.net>;q=0.5", "\"Bob\" <tel:+1234>"))
		refuse(moved.Expect("INVITE"), 486)
		r = s.alice.Expect(302).WantList("Contact", "<mailto:bob@example.net>;q=0.5", "\"Bob\" <tel:+1234>")
		invite.Ack(r)
		// One that comes again is not tried again.
		s.alice.Invite(bobAOR)
		refuse(bob.Expect("INVITE"), 302, Contact("<"+there+">"))
		refuse(moved.Expect("INVITE"), 302, Contact("<"+bob.ContactURI(udp)+">, <"+there+">"))
		s.alice.Expect(480).Lacks("Contact")
		silent(time.Minute, bob, moved)
	}, recurse))
	t.Run("PX-054", onStage(func(s *stage) {
		secure := func(o *AgentOptions) { o.Outbound = s.Hop(tls) }
		alice, bob, other := s.agent("alice", "192.0.2.102", secure), s.agent("bob", "192.0.2.201", secure), s.agent("bob", "192.0.2.250")
		bob.Request("REGISTER", "sips:"+bed.Domain, From("<sips:bob@"+bed.Domain+">;tag=1"), To("<sips:bob@"+bed.Domain+">"),
			Contact("<sips:bob@192.0.2.201>")).Retry(bob.Credentials(bob.Expect(401)))
		bob.Expect(200)
		invite := alice.Invite("sips:bob@" + bed.Domain)
		refuse(bob.Expect("INVITE"), 302, Contact("<"+other.ContactURI(udp)+">"))
		invite.Ack(alice.Expect(302).Want("Contact", "<"+other.ContactURI(udp)+">"))
		silent(time.Minute, other)
	}, recurse))
}
