package client

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/siptest"
)

// called is a call to a puppet under way.
type called struct {
	*actor
	story *Story
	done  chan struct{}
}

// call has an agent call the puppet in the background.
func (s *stage) call(cfg AgentConfig, inv Invitation) *called {
	s.Helper()
	if cfg.AOR == "" {
		cfg.AOR = "sip:alice@atlanta.example.com"
	}
	if inv.Target == "" {
		inv.Target = bobURI
	}
	c := &called{actor: s.actor(aliceHost, cfg), done: make(chan struct{})}
	s.wait.Go(func() {
		defer close(c.done)
		c.story, c.err = c.Call(s.Context(), inv)
	})
	return c
}

const bobContact = "Contact: <sip:bob@192.0.2.201:5060>"

func TestCancel(t *testing.T) {
	stages(t, "before an answer", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{CancelAfter: 2 * time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "180 Ringing", "b", bobContact)
		cancel := bob.expect("CANCEL")
		if d := cancel.at.Sub(invite.at); d < 2*time.Second || d > 2100*time.Millisecond {
			s.Errorf("cancelled after %v", d)
		}
		bob.answer(cancel, "200 OK", "b")
		bob.answer(invite, "487 Request Terminated", "b")
		bob.expect("ACK")
		<-alice.done
		if st := alice.story; alice.err != nil || st.Answered || !st.Cancelled || st.Status != 487 {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "before anything came", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{CancelAfter: 100 * time.Millisecond})
		invite := bob.expect("INVITE")
		// RFC 3261 §9.1: no CANCEL before a provisional response.
		bob.quiet(400 * time.Millisecond)
		bob.answer(invite, "100 Trying", "")
		cancel := bob.expect("CANCEL")
		bob.answer(cancel, "200 OK", "b")
		bob.answer(invite, "487 Request Terminated", "b")
		bob.expect("ACK")
		<-alice.done
		if st := alice.story; alice.err != nil || st.Status != 487 {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "crossed by a 200", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{CancelAfter: time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "180 Ringing", "b", bobContact)
		cancel := bob.expect("CANCEL")
		bob.answer(invite, "200 OK", "b", bobContact, puppetSDP)
		bob.answer(cancel, "200 OK", "b")
		bob.expect("ACK")
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
		if st := alice.story; alice.err != nil || st.Answered || !st.Cancelled || st.EndedBy != EndedByUs {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "that nobody confirms", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{CancelAfter: time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "180 Ringing", "b", bobContact)
		bob.answer(bob.expect("CANCEL"), "200 OK", "b")
		<-alice.done
		var late *TimeoutError
		// RFC 3261 §9.1: 64*T1 behind the CANCEL the call is over.
		if d := time.Since(invite.at); !errors.As(alice.err, &late) || d < 32*time.Second || d > 34*time.Second {
			s.Errorf("%v after %v", alice.err, d)
		}
	})
}

func TestRingingTooLong(t *testing.T) {
	stages(t, "cancelled", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{Ringing: 20 * time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "180 Ringing", "b", bobContact)
		bob.answer(bob.expect("CANCEL"), "200 OK", "b")
		bob.answer(invite, "487 Request Terminated", "b")
		bob.expect("ACK")
		<-alice.done
		if !errors.Is(alice.err, ErrNoAnswer) {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
	stages(t, "Timer B", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{})
		start := time.Now()
		for range 7 { // RFC 3261 §17.1.1.2: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
			bob.expect("INVITE")
		}
		<-alice.done
		var late *TimeoutError
		if d := time.Since(start); !errors.As(alice.err, &late) || late.Heard || d < 32*time.Second || d > 33*time.Second {
			s.Errorf("%v after %v", alice.err, d)
		}
		if again, _, _ := alice.Counts(); again != 6 {
			s.Errorf("%d retransmissions", again)
		}
	})
}

// Two phones of a fork answer at once: the first is the call, the other one is hung up.
func TestTwo200s(t *testing.T) {
	stages(t, "fork", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{Duration: 2 * time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "180 Ringing", "one", bobContact)
		bob.answer(invite, "180 Ringing", "two", bobContact)
		bob.answer(invite, "200 OK", "two", bobContact, puppetSDP)
		bob.answer(invite, "200 OK", "one", bobContact, puppetSDP)
		tags := map[string]string{}
		for range 3 {
			h := bob.next(time.Second)
			tag := h.field("To")[strings.Index(h.field("To"), ";tag=")+5:]
			tags[tag] += string(h.Method()) + " "
			if h.Method() == "BYE" {
				bob.answer(h, "200 OK", "")
			}
		}
		if tags["two"] != "ACK " || tags["one"] != "ACK BYE " {
			s.Errorf("%v", tags)
		}
		// RFC 3261 §13.2.2.4: a 2xx that comes again has its ACK again, the same one.
		bob.answer(invite, "200 OK", "two", bobContact, puppetSDP)
		bob.expect("ACK")
		bye := bob.expect("BYE")
		if !strings.HasSuffix(bye.field("To"), ";tag=two") || bye.field("CSeq") != "2 BYE" {
			s.Errorf("%s", bye.raw)
		}
		bob.answer(bye, "200 OK", "")
		<-alice.done
		if st := alice.story; alice.err != nil || !st.Answered || st.Forked != 1 {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
}

// RFC 3261 §12.1.2, §12.2.1.1: the route set is the Record-Route, turned round.
func TestRouteSet(t *testing.T) {
	stages(t, "loose", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{Server: "sip:" + bobHost, Routes: []string{"sip:ss1.example.com;lr"}},
			Invitation{Target: "sip:bob@biloxi.example.com", Duration: time.Second})
		invite := bob.expect("INVITE")
		if string(invite.RequestURI()) != "sip:bob@biloxi.example.com" || invite.field("Route") != "<sip:ss1.example.com;lr>" {
			s.Errorf("%s", invite.raw)
		}
		bob.answer(invite, "200 OK", "b", "Contact: <sip:bob@client.biloxi.example.com>", "Record-Route: <sip:ss2.biloxi.example.com;lr>",
			"Record-Route: <sip:192.0.2.201;lr>, <sip:192.0.2.201;lr;x>", puppetSDP)
		for _, method := range []string{"ACK", "BYE"} {
			h := bob.expect(method)
			if got := h.fields("Route"); string(h.RequestURI()) != "sip:bob@client.biloxi.example.com" ||
				!slices.Equal(got, []string{"<sip:192.0.2.201;lr;x>", "<sip:192.0.2.201;lr>", "<sip:ss2.biloxi.example.com;lr>"}) {
				s.Errorf("%s", h.raw)
			}
			if method == "BYE" {
				bob.answer(h, "200 OK", "")
			}
		}
		<-alice.done
	})
	stages(t, "strict", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{Duration: time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "200 OK", "b", "Contact: <sip:bob@client.biloxi.example.com>",
			"Record-Route: <sip:ss2.biloxi.example.com;lr>, <sip:192.0.2.201>")
		ack := bob.expect("ACK")
		if string(ack.RequestURI()) != "sip:192.0.2.201" ||
			!slices.Equal(ack.fields("Route"), []string{"<sip:ss2.biloxi.example.com;lr>", "<sip:bob@client.biloxi.example.com>"}) {
			s.Errorf("%s", ack.raw)
		}
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
	})
	stages(t, "to a name that takes its time", func(s *stage) {
		bob := s.puppet(bobHost)
		slow := time.Minute // the first look-up is the slow one
		lookup := func(context.Context, string) ([]netip.Addr, error) {
			d := slow / 10
			slow = 0
			time.Sleep(d)
			return []netip.Addr{netip.MustParseAddr(bobHost)}, nil
		}
		alice := s.call(AgentConfig{Server: "sip:" + bobHost, Lookup: lookup}, Invitation{Target: "sip:bob@biloxi.example.com", Duration: time.Second})
		invite := bob.expect("INVITE")
		bob.answer(invite, "200 OK", "b", "Contact: <sip:bob@client.example.com>")
		bob.expect("ACK") // RFC 3261 §13.2.2.4: before the BYE, which is asked for 5 s sooner
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
		if alice.err != nil {
			s.Error(alice.err)
		}
	})
	stages(t, "to a name that is not found", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{Server: "sip:" + bobHost}, Invitation{Target: "sip:bob@biloxi.example.com", Duration: time.Second})
		bob.answer(bob.expect("INVITE"), "200 OK", "b", "Contact: <sip:bob@nowhere.example.com>")
		bob.expect("ACK")
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
		if alice.err != nil {
			s.Error(alice.err)
		}
	})
}

// Flow 3.3 of RFC 3665: two proxies ask, each with its realm.
func TestTwoProxiesAsk(t *testing.T) {
	stages(t, "DG-026", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{Passwords: map[string][]byte{"atlanta.example.com": []byte("one"), "biloxi.example.com": []byte("two")}},
			Invitation{Duration: time.Second})
		ask := func(realm string) string {
			return `Proxy-Authenticate: Digest realm="` + realm + `", qop="auth", nonce="` + realm + `-1", algorithm=SHA-256`
		}
		first := bob.expect("INVITE")
		bob.answer(first, "407 Proxy Authentication Required", "x", ask("atlanta.example.com"))
		bob.expect("ACK")
		second := bob.expect("INVITE")
		bob.answer(second, "407 Proxy Authentication Required", "y", ask("biloxi.example.com"))
		bob.expect("ACK")
		third := bob.expect("INVITE")
		for _, same := range []string{"Call-ID", "From", "To"} {
			if first.field(same) != third.field(same) {
				s.Errorf("%s changed: %q, %q", same, first.field(same), third.field(same))
			}
		}
		if third.field("CSeq") != "3 INVITE" {
			s.Error(third.field("CSeq"))
		}
		bob.answer(third, "200 OK", "b", bobContact, puppetSDP)
		ack, bye := bob.expect("ACK"), bob.expect("BYE")
		// RFC 3261 §22.1: the ACK has the credentials of the INVITE.
		if !slices.Equal(ack.fields("Proxy-Authorization"), third.fields("Proxy-Authorization")) || ack.field("CSeq") != "3 ACK" {
			s.Errorf("%s", ack.raw)
		}
		for i, h := range []*heard{third, bye} {
			values := h.fields("Proxy-Authorization")
			if len(values) != 2 || !isRight(string(h.Method()), values[0], "alice", "one") || !isRight(string(h.Method()), values[1], "alice", "two") {
				s.Fatalf("%s", h.raw)
			}
			want := [][]string{{"00000002", "00000001"}, {"00000003", "00000002"}}[i]
			if got := []string{credentials(values[0])["nc"], credentials(values[1])["nc"]}; !slices.Equal(got, want) {
				s.Errorf("nonce counts %v, not %v", got, want)
			}
		}
		bob.answer(bye, "200 OK", "")
		<-alice.done
		if alice.err != nil || len(alice.story.Replies) != 3 || alice.story.Requests != 3 {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
	stages(t, "and one realm has no password", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{Passwords: map[string][]byte{"atlanta.example.com": []byte("one")}}, Invitation{})
		bob.answer(bob.expect("INVITE"), "407 Proxy Authentication Required", "x", `Proxy-Authenticate: Digest realm="other", nonce="1"`)
		bob.expect("ACK")
		<-alice.done
		if !errors.Is(alice.story.Err(), ErrNoPassword) || !strings.Contains(alice.story.Err().Error(), `"other"`) {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
	stages(t, "and the password is wrong", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{Password: []byte("one")}, Invitation{})
		for range 2 {
			bob.answer(bob.expect("INVITE"), "401 Unauthorized", "x", challengeMD5)
			bob.expect("ACK")
		}
		<-alice.done
		if !errors.Is(alice.story.Err(), ErrWrongPassword) {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
}

// Flow 3.6 of RFC 3665: a redirect server says where to call.
func TestRedirect(t *testing.T) {
	moved := []string{"Contact: <sip:carol@192.0.2.202>;q=0.3, <mailto:bob@example.com>", "Contact: <sip:bob@192.0.2.203:5060?Subject=x>;q=0.7"}
	stages(t, "followed", func(s *stage) {
		server, second := s.puppet(bobHost), s.puppet("192.0.2.203")
		third := s.puppet("192.0.2.202")
		alice := s.call(AgentConfig{Server: "sip:" + bobHost}, Invitation{Target: "sip:bob@biloxi.example.com", Follow: true, Duration: time.Second})
		server.answer(server.expect("INVITE"), "302 Moved Temporarily", "x", moved...)
		server.expect("ACK")
		invite := second.expect("INVITE")
		if string(invite.RequestURI()) != "sip:bob@192.0.2.203:5060" || invite.field("CSeq") != "2 INVITE" {
			s.Errorf("%s", invite.raw)
		}
		second.answer(invite, "486 Busy Here", "y")
		second.expect("ACK")
		third.answer(third.expect("INVITE"), "200 OK", "z", "Contact: <sip:carol@192.0.2.202>")
		third.expect("ACK")
		third.answer(third.expect("BYE"), "200 OK", "")
		<-alice.done
		if st := alice.story; alice.err != nil || !st.Answered || len(st.Targets) != 3 || st.To.Addr() != netip.MustParseAddr("192.0.2.202") {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "reported", func(s *stage) {
		server := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{})
		server.answer(server.expect("INVITE"), "302 Moved Temporarily", "x", moved...)
		server.expect("ACK")
		<-alice.done
		if st := alice.story; alice.err != nil || st.Status != 302 || len(st.Contacts) != 3 {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "in a circle", func(s *stage) {
		server := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{Follow: true})
		server.answer(server.expect("INVITE"), "302 Moved Temporarily", "x", "Contact: <"+bobURI+">")
		server.expect("ACK")
		<-alice.done
		if st := alice.story; alice.err != nil || st.Status != 302 || len(st.Targets) != 1 {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
}

// What the other side may do in a call.
func TestRequestsInACall(t *testing.T) {
	stages(t, "of ours", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(AgentConfig{}, Invitation{})
		invite := bob.expect("INVITE")
		bob.answer(invite, "200 OK", "b", bobContact, puppetSDP)
		bob.expect("ACK")
		us, them := invite.field("From"), invite.field("To")+";tag=b"
		target := strings.Trim(invite.field("Contact"), "<>")
		ask := func(method string, lines ...string) {
			bob.send(bob.request(method, target, them, us, invite.field("Call-ID"), lines...))
		}
		ask("OPTIONS")
		if ok := bob.expect("200 OPTIONS"); ok.field("Allow") != allowed || ok.field("Accept") != sdpType {
			s.Errorf("%s", ok.raw)
		}
		ask("UPDATE")
		if no := bob.expect("405 UPDATE"); no.field("Allow") != allowed {
			s.Errorf("%s", no.raw)
		}
		ask("INVITE", "Contact: <sip:bob@192.0.2.201:5060;moved>", puppetSDP)
		ok := bob.expect("200 INVITE")
		if !strings.Contains(ok.raw, "m=audio 9 RTP/AVP 0\r\n") {
			s.Errorf("%s", ok.raw)
		}
		const branch = "z9hG4bKearly"
		for _, method := range []string{"INVITE", "ACK"} { // before the ACK of the first
			bob.send(bob.requestAt(9, branch, method, target, them, us, invite.field("Call-ID")))
			if method == "INVITE" {
				if no := bob.expect("500 INVITE"); no.field("Retry-After") == "" {
					s.Errorf("%s", no.raw)
				}
			}
		}
		bob.send(bob.requestAt(bob.cseq, "z9hG4bKack", "ACK", target, them, us, invite.field("Call-ID")))
		bob.quiet(time.Second)
		bob.cseq = 0
		ask("OPTIONS") // RFC 3261 §12.2.2: out of order
		bob.expect("500 OPTIONS")
		bob.cseq = 90
		bob.send(bob.request("BYE", target, them+"x", us, invite.field("Call-ID")))
		bob.expect("481 BYE")
		bob.send(bob.requestAt(1, "z9hG4bKother", "INVITE", target, them, strings.Split(us, ";tag=")[0], "another", bobContact))
		busy := bob.expect("486 INVITE")
		bob.send(bob.requestAt(1, "z9hG4bKother", "ACK", target, them, busy.field("To"), "another"))
		bob.send(bob.requestAt(bob.cseq, "z9hG4bKstray", "CANCEL", target, them, us, "none"))
		bob.expect("481 CANCEL")
		ask("BYE")
		bob.expect("200 BYE")
		<-alice.done
		if st := alice.story; alice.err != nil || st.EndedBy != EndedByThem || !slices.Contains(alice.kinds(), Reinvited) {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
}

// A server name with two addresses, of which the first is dead; and one that says 503.
func TestCallFailsOver(t *testing.T) {
	both := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.250"), netip.MustParseAddr(bobHost)}, nil
	}
	stages(t, "dead", func(s *stage) {
		bob := s.actor(bobHost, AgentConfig{})
		bob.answer(s.Context(), Answering{Calls: 1})
		alice := s.call(AgentConfig{Lookup: both}, Invitation{Target: "sip:bob@biloxi.example.com;transport=tcp", Duration: time.Second})
		<-alice.done
		if st := alice.story; alice.err != nil || !st.Answered || st.To.Addr() != netip.MustParseAddr(bobHost) {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "overloaded", func(s *stage) {
		first, bob := s.puppet("192.0.2.250"), s.puppet(bobHost)
		alice := s.call(AgentConfig{Lookup: both}, Invitation{Target: "sip:bob@biloxi.example.com", Duration: time.Second})
		invite := first.expect("INVITE")
		first.answer(invite, "503 Service Unavailable", "x")
		first.expect("ACK")
		again := bob.expect("INVITE")
		if again.field("Via") == invite.field("Via") || again.field("CSeq") != invite.field("CSeq") {
			s.Errorf("%s", again.raw)
		}
		bob.answer(again, "200 OK", "b", bobContact)
		bob.expect("ACK")
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
		if alice.err != nil || !alice.story.Answered {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
	stages(t, "nobody", func(s *stage) {
		alice := s.call(AgentConfig{}, Invitation{Target: bobURI + ";transport=tcp"})
		<-alice.done
		var lost *ConnectError
		if !errors.As(alice.err, &lost) || alice.story.Status != 0 {
			s.Errorf("%+v, %v", alice.story, alice.err)
		}
	})
}

// One datagram in ten is lost, and some come twice or late: every call comes about.
func TestCallsOverABadNetwork(t *testing.T) {
	for seed := range uint64(10) {
		stages(t, "", func(s *stage) {
			s.net.SetLink(siptest.Link{Latency: 20 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.1, Duplicate: 0.05, Seed: seed})
			ctx, stop := context.WithCancel(s.Context())
			bob := s.actor(bobHost, AgentConfig{})
			bob.answer(ctx, Answering{Ring: time.Second})
			alice := s.call(AgentConfig{}, Invitation{Duration: 5 * time.Second})
			<-alice.done
			if st := alice.story; alice.err != nil || !st.Answered || st.EndedBy != EndedByUs {
				s.Errorf("seed %d: %+v, %v\n%s", seed, st, alice.err, alice.ladder())
			}
			stop()
		})
	}
}

// RFC 3261 §18.1.1: what is too large for UDP goes over TCP, and over UDP to who has none.
func TestLargeInvite(t *testing.T) {
	large := AgentConfig{UserAgent: strings.Repeat("x", MaxUnpinnedDatagram)}
	stages(t, "over TCP", func(s *stage) {
		bob := s.actor(bobHost, AgentConfig{})
		bob.answer(s.Context(), Answering{Calls: 1})
		alice := s.call(large, Invitation{Duration: time.Second})
		<-alice.done
		if st := alice.story; alice.err != nil || !st.Answered || st.Transport != sip.TCP {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
	stages(t, "over UDP", func(s *stage) {
		bob := s.puppet(bobHost)
		alice := s.call(large, Invitation{Duration: time.Second})
		bob.answer(bob.expect("INVITE"), "200 OK", "b", bobContact)
		bob.expect("ACK")
		bob.answer(bob.expect("BYE"), "200 OK", "")
		<-alice.done
		if st := alice.story; alice.err != nil || !st.Answered || st.Transport != sip.UDP {
			s.Errorf("%+v, %v", st, alice.err)
		}
	})
}
