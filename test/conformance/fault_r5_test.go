package conformance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// promptly is how long a caller waits at the most for an answer in place of one that cannot be passed on.
const promptly = 6 * time.Second

// line0 has a response begin with another line.
func line0(start string, status int) Edit {
	return Rewrite(fmt.Sprintf("SIP/2.0 %d %s\r\n", status, sip.StatusText(status)), start+"\r\n")
}

// ownVia leaves nothing but the topmost Via in a response.
func ownVia(r *Request) {
	Rewrite("\r\nVia: SIP/2.0/UDP 192.0.2.101", "\r\nX-Via: SIP/2.0/UDP 192.0.2.101")(r)
}

// callee is the only phone of a user's, called over a transport.
func (s *stage) callee(transport sip.Transport) *Agent {
	s.t.Helper()
	user := s.User()
	bob := s.agent(user, at(0), func(o *AgentOptions) {
		o.Outbound, o.Domain, o.Password = s.Hop(transport), bed.Domain, bed.Password(user)
	})
	if transport == udp {
		s.Bind(s.t, user, "<"+bob.ContactURI(udp)+">")
	} else {
		bob.Register()
	}
	return bob
}

// TestFaultR5: a response that is damaged (RFC 3261 §16.7, §18.3). What can be passed on is; whatever else becomes of it, who
// asked has a final answer soon.
func TestFaultR5(t *testing.T) {
	both := []sip.Method{"INVITE", "MESSAGE"}
	// answer has bob answer a request of alice's, and returns what she gets.
	answer := func(s *stage, bob *Agent, method sip.Method, status int, edits ...Edit) *Received {
		s.t.Helper()
		s.alice.Drain()
		request := s.alice.Request(string(method), bob.AOR())
		offer := bob.Expect(method)
		sent := time.Now()
		bob.Reply(offer, status, edits...)
		for {
			r := s.alice.Next(promptly)
			if r == nil {
				s.t.Fatalf("%s: alice hears nothing in %v", method, promptly)
			}
			if r.Status() >= 200 && r.ID() == request.ID() {
				if r.At.Sub(sent) > promptly {
					r.Fatalf("after %v", r.At.Sub(sent))
				}
				if method == "INVITE" && r.Status() >= 300 {
					request.Ack(r)
				}
				bob.Drain()
				return r
			}
		}
	}
	t.Run("R5 what can be passed on is", func(t *testing.T) {
		for name, edits := range map[string][]Edit{
			"the version is in lower case": {Version("sip/2.0")},
			"it is in both":                {Version("Sip/2.0")},
			"Content-Type stands twice":    {Line("Content-Type: a/b", "Content-Type: c/d")},
			"Expires and Min-Expires do":   {Line("Expires: 1", "Expires: 2", "Min-Expires: 1", "Min-Expires: 3")},
			"Call-ID does":                 {func(r *Request) { Line("Call-ID: " + r.CallID)(r) }},
			"To does":                      {func(r *Request) { Line("t: " + r.To)(r) }},
			"Content-Length does":          {Line("Content-Length: 0"), NoBody()},
			"fields are broken":            {Line("Contact: <<<", "Server:", "Date: today", "Retry-After: soon", "Warning: x", "Record-Route: ,,", "Allow: (")},
			"a line has no colon":          {Line("what is this")},
			"CSeq has no number":           {Rewrite("CSeq: ", "CSeq: x")},
			"From and To are no URIs":      {From("nobody"), To("who?")},
			"To has no tag":                {Rewrite(";tag=", ";gat=")},
			"the phrase is left out":       {line0("SIP/2.0 486", 486), line0("SIP/2.0 200", 200)},
		} {
			t.Run("R5 "+name, onStage(func(s *stage) {
				s.alice.Lenient = true
				for _, transport := range []sip.Transport{udp, tcp} {
					bob := s.callee(transport)
					for _, method := range both {
						for _, status := range []int{486, 200} {
							r := answerRaw(s, answer, bob, method, status, edits)
							if r.Status() != status || !strings.HasPrefix(r.Raw, "SIP/2.0 ") {
								r.Fatalf("%s over %s: not the %d", method, transport, status)
							}
						}
					}
					bob.Close()
				}
			}))
		}
	})
	t.Run("R5 what cannot is answered in its place", func(t *testing.T) {
		for name, edits := range map[string][]Edit{
			"another version":           {Version("SIP/3.0")},
			"a CR alone in a value":     {Line("X-Odd: a\rb")},
			"two lengths":               {Line("Content-Length: 7")},
			"a length that is none":     {Rewrite("Content-Length: ", "Content-Length: x")},
			"no To":                     {Without("To")},
			"no From":                   {Without("From")},
			"no Call-ID":                {Without("Call-ID")},
			"no CSeq":                   {Without("CSeq")},
			"two Call-IDs":              {Line("Call-ID: another")},
			"a CSeq without a method":   {Rewrite(" INVITE\r\n", "\r\n"), Rewrite(" MESSAGE\r\n", "\r\n")},
			"more fields than we keep":  {Line(strings.Split(strings.Repeat("X: y\n", 300)+"X: z", "\n")...)},
			"a second Via that is none": {Rewrite("\r\nVia: SIP/2.0/UDP 192.0.2.101", "\r\nVia: ????")},
			"the Via of somebody else":  {Rewrite("192.0.2.101:5060;branch=z9hG4bK", "192.0.2.101:5060;branch=z9hG4bKx")},
		} {
			t.Run("R5 "+name, onStage(func(s *stage) {
				for _, transport := range []sip.Transport{udp, tcp} {
					bob := s.callee(transport)
					for _, method := range both {
						for status, want := range map[int]int{486: 486, 200: 502, 302: 502, 401: 502, 503: 500, 603: 603} {
							r := answerRaw(s, answer, bob, method, status, edits)
							if r.Status() != want || string(r.Branch()) == "" {
								r.Fatalf("%s over %s: not %d for %d", method, transport, want, status)
							}
							if transport == tcp {
								bob.Register() // where the bytes cannot be framed the connection has closed
							}
						}
					}
					bob.Close()
				}
			}))
		}
	})
	t.Run("R5 a status that is none is 502", onStage(func(s *stage) {
		for _, transport := range []sip.Transport{udp, tcp} {
			bob := s.callee(transport)
			for _, method := range both {
				for _, start := range []string{"SIP/2.0 099 Early", "SIP/2.0 700 Late", "SIP/2.0 999 Never", "SIP/2.0 abc What", "SIP/2.0", "SIP/x 200 OK", "SIP/2.0 4866 Busy"} {
					if r := answer(s, bob, method, 486, line0(start, 486)); r.Status() != 502 {
						r.Fatalf("%s over %s: %q", method, transport, start)
					}
				}
			}
			bob.Close()
		}
	}))
	t.Run("R5 over a stream without Content-Length", onStage(func(s *stage) {
		for _, transport := range []sip.Transport{tcp, tls} {
			bob := s.callee(transport)
			for _, method := range both {
				// Nothing says that there is a body: it has none, and the connection goes on.
				for _, status := range []int{404, 200} {
					if r := answer(s, bob, method, status, NoLength(), NoBody()); r.Status() != status || r.Header("Content-Length") != "0" {
						r.Fatalf("%s over %s", method, transport)
					}
				}
				// There is one, and nobody knows where it ends.
				for status, want := range map[int]int{404: 404, 200: 502} {
					r := answer(s, bob, method, status, NoLength(), Body("text/plain", "INVITE sip:bob@192.0.2.222 SIP/2.0\r\n\r\n"))
					if r.Status() != want {
						r.Fatalf("%s over %s: not %d for %d", method, transport, want, status)
					}
					silent(time.Second, bob)
					bob.Register()
				}
			}
			bob.Close()
		}
	}))
	t.Run("R5 a datagram that ends before its body does", onStage(func(s *stage) {
		bob := s.callee(udp)
		for _, method := range both {
			for status, want := range map[int]int{404: 404, 200: 502} {
				if r := answer(s, bob, method, status, Rewrite("Content-Length: ", "Content-Length: 9")); r.Status() != want {
					r.Fatalf("%s: not %d for %d", method, want, status)
				}
			}
		}
	}))
	t.Run("R5 a final response for nobody is dropped, and its branch ends soon", onStage(func(s *stage) {
		bob := s.callee(udp)
		for _, method := range both {
			for status, want := range map[int]int{404: 404, 200: 502} {
				if r := answer(s, bob, method, status, ownVia); r.Status() != want {
					r.Fatalf("%s: not %d for %d", method, want, status)
				}
			}
		}
	}))
	t.Run("R5 a provisional response that is damaged is dropped", onStage(func(s *stage) {
		bob := s.callee(udp)
		invite := s.alice.Invite(bob.AOR())
		offer := bob.Expect("INVITE")
		s.alice.Expect(100)
		for _, edits := range [][]Edit{{Without("To")}, {Line("Content-Length: 9")}, {Rewrite("Content-Length: ", "Content-Length: x")}, {Version("SIP/7.0")}} {
			bob.Reply(offer, 180, edits...)
		}
		silent(promptly, s.alice, bob) // nor does the INVITE come again
		bob.Reply(offer, 200)
		s.alice.Dialog(invite, s.alice.Expect(200)).Ack()
		bob.Expect("ACK")
	}))
	t.Run("R5 a damaged answer costs a fork one branch", onStage(func(s *stage) {
		bobs := s.phones("1", "1")
		s.alice.Invite(bobAOR)
		one, two := bobs[0].Expect("INVITE"), bobs[1].Expect("INVITE")
		bobs[1].Reply(two, 180)
		s.alice.Expect(180)
		bobs[0].Reply(one, 200, Without("Call-ID"))
		silent(promptly, s.alice)
		for _, m := range bobs[0].Drain() {
			m.Fatalf("nobody acknowledges what nobody has got: the phone gives up by itself (§13.3.1.4)")
		}
		bobs[1].Reply(two, 200)
		s.alice.Expect(200)
		bobs[0].Reply(one, 200, Without("Call-ID"))
		silent(time.Second, s.alice)
	}))
	t.Run("R5 a refusal that is damaged is acknowledged", onStage(func(s *stage) {
		bob := s.callee(udp)
		invite := s.alice.Invite(bob.AOR())
		refuse(bob.Expect("INVITE"), 486, Line("Call-ID: another"))
		invite.Ack(s.alice.Expect(486).Lacks("Call-Info"))
		silent(time.Minute, bob, s.alice)
	}))
	t.Run("R5 an answer that fits no datagram", onStage(func(s *stage) {
		bob := s.callee(tcp)
		big := Body("text/plain", strings.Repeat("x", 66000))
		for _, method := range both {
			for status, want := range map[int]int{404: 404, 200: 502, 401: 502} {
				if r := answer(s, bob, method, status, big); r.Status() != want {
					r.Fatalf("%s: not %d for %d", method, want, status)
				}
			}
		}
	}))
	t.Run("R5 it is counted, and what is passed on is not", onStage(func(s *stage) {
		bob := s.callee(udp)
		s.alice.Lenient = true
		refused := func(why string) uint64 { return s.Server.Status().Counters.Refused[why] }
		answer(s, bob, "MESSAGE", 486, Line("Content-Type: a/b", "Content-Type: c/d"))
		if n := refused("damaged_response") + refused("syntax"); n != 0 {
			s.t.Errorf("%d before", n)
		}
		answer(s, bob, "MESSAGE", 486, Without("To"))
		answer(s, bob, "MESSAGE", 486, line0("SIP/2.0 999 x", 486))
		if refused("damaged_response") != 1 || refused("syntax") != 1 {
			s.t.Errorf("%v", s.Server.Status().Counters.Refused)
		}
	}))
	t.Run("R5 a stranger who does not know the branch ends nothing", onStage(func(s *stage) {
		bob, eve := s.callee(udp), s.agent("eve", "192.0.2.66")
		s.alice.Invite(bob.AOR())
		offer := bob.Expect("INVITE")
		s.alice.Expect(100)
		for _, branch := range []string{"", "z9hG4bK", strings.Repeat("z9hG4bK", 1000), offer.Branch()[:20] + strings.Repeat("0", len(offer.Branch())-29) + ".00000000"} {
			eve.Send(s.Hop(udp), []byte("SIP/2.0 999 x\r\nVia: SIP/2.0/UDP 192.0.2.222;branch="+branch+"\r\n\r\n"))
		}
		silent(promptly, s.alice)
	}))
}

// answerRaw is answer with a copy of the edits: some change themselves.
func answerRaw(s *stage, answer func(*stage, *Agent, sip.Method, int, ...Edit) *Received, bob *Agent, method sip.Method, status int, edits []Edit) *Received {
	s.t.Helper()
	return answer(s, bob, method, status, append([]Edit{}, edits...)...)
}

// TestFaultR5Connections: a connection that breaks while an answer is awaited (RFC 3261 §16.9, §18.4).
func TestFaultR5Connections(t *testing.T) {
	for _, transport := range []sip.Transport{tcp, tls} {
		t.Run("R5 the connection to a phone that rings breaks, over "+transport.String(), onStage(func(s *stage) {
			bob := s.callee(transport)
			invite := s.alice.Invite(bob.AOR())
			bob.Reply(bob.Expect("INVITE"), 180)
			s.alice.Expect(180)
			bob.Hang()
			invite.Ack(s.alice.ExpectWithin(promptly, 480))
			silent(5*time.Minute, s.alice)
		}))
		t.Run("R5 before it has said anything, over "+transport.String(), onStage(func(s *stage) {
			bob := s.callee(transport)
			for _, method := range []string{"INVITE", "MESSAGE"} {
				if method == "INVITE" {
					s.alice.Invite(bob.AOR())
				} else {
					s.alice.Request(method, bob.AOR())
				}
				bob.Expect(method)
				bob.Hang()
				s.alice.ExpectWithin(promptly, 480)
				s.alice.Drain()
				bob.Register()
			}
		}))
	}
	t.Run("R5 the phone answers over another connection", onStage(func(s *stage) {
		bob := s.callee(tcp)
		for _, method := range []string{"INVITE", "MESSAGE"} {
			if method == "INVITE" {
				s.alice.Invite(bob.AOR())
			} else {
				s.alice.Request(method, bob.AOR())
			}
			offer := bob.Expect(method)
			bob.Hang()
			time.Sleep(2 * time.Second)
			if method == "INVITE" {
				bob.Reply(offer, 180)
				s.alice.Expect(180)
				time.Sleep(time.Minute) // it rings on
			}
			bob.Reply(offer, 200)
			s.alice.Expect(200)
			bob.Register()
		}
	}))
	t.Run("R5 the user's other phone rings on, and is asked next", onStage(func(s *stage) {
		bob := s.callee(tcp)
		other := s.agent("bob", at(1))
		s.Bind(s.t, bob.User, "<"+other.ContactURI(udp)+">;q=0.5")
		s.alice.Invite(bob.AOR())
		bob.Reply(bob.Expect("INVITE"), 180)
		s.alice.Expect(180)
		bob.Hang()
		offer := other.ExpectWithin(promptly, "INVITE")
		other.Reply(offer, 200)
		s.alice.Expect(200)
	}))
	t.Run("R5 the peer's next address is tried", onStage(func(s *stage) {
		s.dns.Add(s.t, `
			peer.example.net. NAPTR 1 1 s SIP+D2T _sip._tcp.peer.example.net.
			_sip._tcp.peer.example.net. SRV 1 1 5060 a.peer.example.net.
			_sip._tcp.peer.example.net. SRV 2 1 5060 b.peer.example.net.
			a.peer.example.net. A 192.0.2.41
			b.peer.example.net. A 192.0.2.42`)
		a, b := s.agent("a", "192.0.2.41"), s.agent("b", "192.0.2.42")
		s.alice.Invite("sip:carol@peer.example.net")
		a.Expect("INVITE")
		a.Close()
		b.Reply(b.ExpectWithin(promptly, "INVITE"), 200)
		s.alice.Expect(200)
	}, trustAll))
	t.Run("R5 the caller's own connection is of no account", onStage(func(s *stage) {
		bob := s.callee(tcp)
		carol := s.agent("carol", "192.0.2.102", func(o *AgentOptions) { o.Outbound = s.Hop(tcp) })
		carol.Invite(bob.AOR())
		offer := bob.Expect("INVITE")
		bob.Reply(offer, 180)
		carol.Expect(180)
		carol.Hang()
		silent(time.Minute, bob) // RFC 3261 §16.9: no CANCEL
		refuse(offer, 486)
	}))
}

// TestFaultR5Requests: requests with the version in another case (RFC 3261 §7.1).
func TestFaultR5Requests(t *testing.T) {
	t.Run("R5 a request in lower case goes on in upper case", onStage(func(s *stage) {
		bob := s.phone()
		lower := Version("sip/2.0")
		for _, method := range []string{"MESSAGE", "OPTIONS", "INFO"} {
			s.alice.Request(method, bobAOR, lower)
			offer := bob.Expect(method)
			if !strings.HasSuffix(strings.SplitN(offer.Raw, "\r\n", 2)[0], " SIP/2.0") {
				offer.Fatalf("the version")
			}
			bob.Reply(offer, 200)
			s.alice.Expect(200)
		}
		upper := func(r *Received) *Received {
			if !strings.HasSuffix(strings.SplitN(r.Raw, "\r\n", 2)[0], " SIP/2.0") {
				r.Fatalf("the version")
			}
			return r
		}
		invite := s.alice.Invite(bobAOR, lower)
		offer := upper(bob.Expect("INVITE"))
		bob.Reply(offer, 180, lower)
		s.alice.Expect(180)
		bob.Reply(offer, 200, lower)
		call := s.alice.Dialog(invite, s.alice.Expect(200))
		call.Ack(lower)
		upper(bob.Expect("ACK"))
		call.Bye(lower)
		bob.Reply(upper(bob.Expect("BYE")), 200, lower)
		s.alice.Expect("200 BYE")
		invite = s.alice.Invite(bobAOR, lower)
		offer = upper(bob.Expect("INVITE"))
		bob.Reply(offer, 180)
		s.alice.Expect(180)
		invite.Cancel(lower)
		s.alice.Expect("200 CANCEL")
		bob.Reply(upper(bob.Expect("CANCEL")), 200, lower)
		bob.Reply(offer, 487, lower)
		upper(bob.Expect("ACK"))
		invite.Ack(s.alice.Expect("487 INVITE"), lower)
		silent(time.Minute, s.alice, bob)
	}))
	t.Run("R5 a REGISTER in lower case", onStage(func(s *stage) {
		bob := s.agent("bob", at(0), func(o *AgentOptions) { o.Domain = bed.Domain })
		first := bob.Request("REGISTER", "sip:"+bed.Domain, To("<"+bob.AOR()+">"), Contact("<"+bob.ContactURI(udp)+">"), Version("sip/2.0"))
		first.Retry(bob.Credentials(bob.Expect(401)))
		bob.Expect(200)
	}))
}
