package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

// taking has an agent answer calls at bobHost, and gives it a puppet to call it.
func (s *stage) taking(cfg AgentConfig, how Answering) (bob *actor, alice *puppet) {
	s.Helper()
	bob = s.actor(bobHost, cfg)
	bob.answer(s.Context(), how)
	return bob, s.puppet(aliceHost)
}

func TestCalleeHasNoAck(t *testing.T) {
	stages(t, "RFC 3261 §13.3.1.4", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1})
		alice.invite("1", puppetSDP)
		start := time.Now()
		var at []time.Duration
		for {
			h := alice.next(time.Minute)
			if h.Method() == "BYE" {
				if d := time.Since(start); d != 32*time.Second {
					s.Errorf("BYE after %v", d)
				}
				alice.answer(h, "200 OK", "")
				break
			}
			at = append(at, h.at.Sub(start))
		}
		want := "[0s 500ms 1.5s 3.5s 7.5s 11.5s 15.5s 19.5s 23.5s 27.5s 31.5s]"
		if fmt.Sprint(at) != want {
			s.Errorf("200s at %v, not %s", at, want)
		}
		<-bob.done
		if !bob.has(Unacknowledged) {
			s.Errorf("%v", bob.kinds())
		}
	})
}

func TestByeBeforeAck(t *testing.T) {
	stages(t, "of the 200", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1})
		alice.invite("1", puppetSDP)
		ok := alice.expect("200 INVITE")
		alice.inDialog("BYE", ok)
		alice.expect("200 BYE")
		<-bob.done
		alice.quiet(time.Minute)
		if !slices.Equal(bob.kinds(), []EventKind{Invited, Answered, HungUp, Ended}) {
			s.Errorf("%v", bob.kinds())
		}
	})
	// RFC 3261 §15.1.2: the caller may hang up an early dialog by BYE too.
	stages(t, "while it rings", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1, Ring: time.Minute})
		alice.invite("1", puppetSDP)
		ringing := alice.expect("180 INVITE")
		alice.inDialog("BYE", ringing)
		alice.expect("200 BYE")
		alice.expect("487 INVITE")
		<-bob.done
	})
	// The callee's own BYE waits for the ACK (RFC 3261 §15).
	stages(t, "ours waits", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1, Duration: 100 * time.Millisecond})
		alice.invite("1", puppetSDP)
		ok := alice.expect("200 INVITE")
		alice.expect("200 INVITE")
		alice.ack(ok)
		alice.answer(alice.expect("BYE"), "200 OK", "")
		<-bob.done
	})
}

func TestCalleeIsCancelled(t *testing.T) {
	stages(t, "while it rings", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1, Ring: time.Minute})
		alice.to = bob.listen
		const branch = "z9hG4bKcancel"
		alice.send(alice.requestAt(1, branch, "INVITE", bobURI, aliceFrom, bobTo, "1", puppetSDP))
		ringing := alice.expect("180 INVITE")
		alice.send(alice.requestAt(1, branch, "CANCEL", bobURI, aliceFrom, bobTo, "1"))
		ok := alice.expect("200 CANCEL")
		no := alice.expect("487 INVITE")
		if ok.field("To") != no.field("To") || no.field("To") != ringing.field("To") {
			s.Errorf("tags %s, %s, %s", ringing.field("To"), ok.field("To"), no.field("To"))
		}
		alice.send(alice.requestAt(1, branch, "ACK", bobURI, aliceFrom, no.field("To"), "1"))
		<-bob.done
		if !slices.Equal(bob.kinds(), []EventKind{Invited, Progress, Cancelled, Ended}) {
			s.Errorf("%v", bob.kinds())
		}
	})
	// RFC 3261 §9.2: a CANCEL behind the final answer changes nothing.
	stages(t, "when it has answered", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1})
		alice.to = bob.listen
		const branch = "z9hG4bKcancel"
		alice.send(alice.requestAt(1, branch, "INVITE", bobURI, aliceFrom, bobTo, "1", puppetSDP))
		ok := alice.expect("200 INVITE")
		alice.send(alice.requestAt(1, branch, "CANCEL", bobURI, aliceFrom, bobTo, "1"))
		alice.expect("200 CANCEL")
		alice.ack(ok)
		alice.cseq = 1
		alice.inDialog("BYE", ok)
		alice.expect("200 BYE")
		<-bob.done
	})
}

func TestCalleeRings(t *testing.T) {
	// RFC 3261 §13.3.1.1: a provisional response every minute.
	stages(t, "for minutes", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1, Ring: 150 * time.Second, Status: 480})
		alice.to = bob.listen
		const branch = "z9hG4bKlong"
		alice.send(alice.requestAt(1, branch, "INVITE", bobURI, aliceFrom, bobTo, "1", "Record-Route: <sip:ss1.example.com;lr>", puppetSDP))
		var last *heard
		for i := range 3 {
			h := alice.expect("180 INVITE")
			if h.field("Record-Route") != "<sip:ss1.example.com;lr>" || h.field("Contact") != "<sip:192.0.2.201:5060>" {
				s.Errorf("%s", h.raw)
			}
			if last != nil && h.at.Sub(last.at) != time.Minute {
				s.Errorf("180 number %d after %v", i+1, h.at.Sub(last.at))
			}
			last = h
		}
		no := alice.expect("480 INVITE")
		alice.send(alice.requestAt(1, branch, "ACK", bobURI, aliceFrom, no.field("To"), "1"))
		<-bob.done
	})
	// RFC 3261 §13.3.1: the INVITE's Expires.
	stages(t, "until it expires", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1, Ring: time.Minute})
		alice.to = bob.listen
		alice.send(alice.requestAt(1, "z9hG4bKx", "INVITE", bobURI, aliceFrom, bobTo, "1", "Expires: 5", puppetSDP))
		alice.expect("180 INVITE")
		no := alice.expect("487 INVITE")
		alice.send(alice.requestAt(1, "z9hG4bKx", "ACK", bobURI, aliceFrom, no.field("To"), "1"))
		<-bob.done
	})
}

func TestSilentCallee(t *testing.T) {
	stages(t, "says nothing", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Silent: true, Calls: 2})
		alice.invite("1", puppetSDP)
		alice.quiet(time.Second)
		alice.cseq--
		alice.invite("1", puppetSDP)
		alice.quiet(time.Second)
		if got := bob.kinds(); !slices.Equal(got, []EventKind{Ignored}) {
			s.Errorf("%v", got)
		}
		alice.invite("2", puppetSDP)
		<-bob.done
	})
}

// What is no call of its own is answered by its rule.
func TestRequestsOutsideACall(t *testing.T) {
	stages(t, "answers", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Ring: time.Hour})
		alice.to = bob.listen
		for i, test := range []struct {
			method string
			lines  []string
			want   string
			field  string // and its value, if there is one
			value  string
		}{
			{"OPTIONS", nil, "200 OPTIONS", "Allow", allowed},
			{"MESSAGE", nil, "405 MESSAGE", "Allow", allowed},
			{"NOSUCH", nil, "405 NOSUCH", "Allow", allowed},
			{"BYE", nil, "481 BYE", "", ""},
			{"INVITE", []string{"Require: 100rel, precondition"}, "420 INVITE", "Unsupported", "100rel"},
			{"INVITE", []string{"Content-Type: text/plain"}, "180 INVITE", "", ""}, // no body
			{"INVITE", []string{"Content-Encoding: gzip", puppetSDP}, "415 INVITE", "Accept", sdpType},
		} {
			branch, callID := fmt.Sprint("z9hG4bK", i), fmt.Sprint("call", i)
			alice.send(alice.requestAt(1, branch, test.method, bobURI, aliceFrom, bobTo, callID, test.lines...))
			h := alice.expect(test.want)
			if h.field(test.field) != test.value {
				s.Errorf("%s: %s", test.method, h.raw)
			}
			if test.method == "INVITE" && h.StatusCode() >= 300 {
				alice.send(alice.requestAt(1, branch, "ACK", bobURI, aliceFrom, h.field("To"), callID))
			}
		}
		// RFC 3261 §8.2.2.2: the same request by another way.
		alice.send(alice.requestAt(7, "z9hG4bKone", "INVITE", bobURI, aliceFrom, bobTo, "merged", puppetSDP))
		alice.expect("180 INVITE")
		alice.send(alice.requestAt(7, "z9hG4bKtwo", "INVITE", bobURI, aliceFrom, bobTo, "merged", puppetSDP))
		no := alice.expect("482 INVITE")
		alice.send(alice.requestAt(7, "z9hG4bKtwo", "ACK", bobURI, aliceFrom, no.field("To"), "merged"))
		// RFC 3261 §8.2.2.1
		alice.send(alice.requestAt(1, "z9hG4bKtel", "OPTIONS", "tel:+12125551212", aliceFrom, bobTo, "tel"))
		alice.expect("416 OPTIONS")
		// What is malformed, and of another version.
		alice.send(strings.Replace(alice.requestAt(1, "z9hG4bKbad", "OPTIONS", bobURI, aliceFrom, bobTo, "bad"), "CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 1))
		alice.expect("400 INVITE")
		alice.send(strings.Replace(alice.requestAt(1, "z9hG4bKold", "OPTIONS", bobURI, aliceFrom, bobTo, "old"), "SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 1))
		alice.expect("505 OPTIONS")
	})
	stages(t, "an offer that cannot be answered", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1})
		alice.to = bob.listen
		alice.send(alice.requestAt(1, "z9hG4bKx", "INVITE", bobURI, aliceFrom, bobTo, "1",
			"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/SAVP 0\r\n"))
		no := alice.expect("488 INVITE")
		alice.send(alice.requestAt(1, "z9hG4bKx", "ACK", bobURI, aliceFrom, no.field("To"), "1"))
		<-bob.done
	})
}

// A delayed offer: ours is in the 200, theirs in the ACK.
func TestDelayedOffer(t *testing.T) {
	stages(t, "in the 200", func(s *stage) {
		bob, alice := s.taking(AgentConfig{}, Answering{Calls: 1})
		alice.invite("1")
		ok := alice.expect("200 INVITE")
		if !strings.Contains(ok.raw, "m=audio 9 RTP/AVP 0 8\r\n") || !strings.Contains(ok.raw, "a=inactive") {
			s.Errorf("%s", ok.raw)
		}
		alice.ack(ok, puppetSDP)
		alice.inDialog("BYE", ok)
		alice.expect("200 BYE")
		<-bob.done
		at := slices.IndexFunc(bob.events, func(e Event) bool { return e.Kind == Acknowledged })
		if at < 0 || bob.events[at].Detail != "audio 192.0.2.201:3456 PCMU/8000" {
			s.Errorf("%+v", bob.events)
		}
	})
}

// Who is interrupted refuses what rings, hangs up what talks, and goes.
func TestCalleeIsInterrupted(t *testing.T) {
	stages(t, "while it rings", func(s *stage) {
		ctx, stop := context.WithCancel(s.Context())
		bob := s.actor(bobHost, AgentConfig{})
		bob.answer(ctx, Answering{Ring: time.Minute})
		alice := s.puppet(aliceHost)
		alice.to = bob.listen
		alice.send(alice.requestAt(1, "z9hG4bKx", "INVITE", bobURI, aliceFrom, bobTo, "1", puppetSDP))
		alice.expect("180 INVITE")
		stop()
		no := alice.expect("480 INVITE")
		alice.send(alice.requestAt(1, "z9hG4bKx", "ACK", bobURI, aliceFrom, no.field("To"), "1"))
		<-bob.done
	})
	stages(t, "while it talks", func(s *stage) {
		ctx, stop := context.WithCancel(s.Context())
		bob := s.actor(bobHost, AgentConfig{})
		bob.answer(ctx, Answering{})
		alice := s.puppet(aliceHost)
		alice.invite("1", puppetSDP)
		alice.ack(alice.expect("200 INVITE"))
		synctest.Wait()
		stop()
		alice.answer(alice.expect("BYE"), "200 OK", "")
		<-bob.done
	})
}

// registered is an agent that registers at a puppet.
func (s *stage) registering(ctx context.Context, transport string) (bob *actor, server *puppet) {
	server = s.puppet("192.0.2.222")
	bob = s.actor(bobHost, AgentConfig{AOR: "sip:bob@biloxi.example.com", Server: "sip:192.0.2.222;transport=" + transport,
		Password: []byte("zanzibar")})
	bob.answer(ctx, Answering{Register: true, Expires: time.Hour})
	return bob, server
}

func TestRegistrationIsKept(t *testing.T) {
	const contact = "Contact: <sip:bob@192.0.2.201:5060>;expires="
	stages(t, "and removed", func(s *stage) {
		ctx, stop := context.WithCancel(s.Context())
		bob, server := s.registering(ctx, "udp")
		server.answer(server.expect("REGISTER"), "401 Unauthorized", "x", challengeMD5)
		first := server.expect("REGISTER")
		if first.field("Contact") != "<sip:bob@192.0.2.201:5060>" || first.field("Expires") != "3600" ||
			string(first.RequestURI()) != "sip:biloxi.example.com" || !isRight("REGISTER", first.field("Authorization"), "bob", "zanzibar") {
			s.Errorf("%s", first.raw)
		}
		server.answer(first, "423 Interval Too Brief", "x", "Min-Expires: 7200")
		longer := server.expect("REGISTER")
		if longer.field("Expires") != "7200" {
			s.Errorf("%s", longer.raw)
		}
		server.answer(longer, "200 OK", "x", contact+"600", "Contact: <sip:bob@192.0.2.9>;expires=9")
		again := server.expect("REGISTER")
		if d := again.at.Sub(longer.at); d != 570*time.Second {
			s.Errorf("refreshed after %v", d)
		}
		if again.field("Call-ID") != first.field("Call-ID") || again.field("CSeq") != "4 REGISTER" {
			s.Errorf("%s", again.raw)
		}
		server.answer(again, "500 Server Internal Error", "x")
		retry := server.expect("REGISTER")
		if d := retry.at.Sub(again.at); d != registerAgain {
			s.Errorf("tried again after %v", d)
		}
		server.answer(retry, "200 OK", "x", contact+"600")
		synctest.Wait()
		stop()
		last := server.expect("REGISTER")
		if last.field("Expires") != "0" || last.field("Contact") != "<sip:bob@192.0.2.201:5060>" {
			s.Errorf("%s", last.raw)
		}
		server.answer(last, "200 OK", "x")
		<-bob.done
		if bob.err != nil || !slices.Equal(bob.kinds(), []EventKind{Registered, RegisterFailed, Registered, Unregistered}) {
			s.Errorf("%v, %v", bob.kinds(), bob.err)
		}
	})
	stages(t, "or never begins", func(s *stage) {
		bob, server := s.registering(s.Context(), "udp")
		server.answer(server.expect("REGISTER"), "404 Not Found", "x")
		<-bob.done
		if bob.err == nil || !strings.Contains(bob.err.Error(), "404") {
			s.Errorf("%v", bob.err)
		}
	})
	stages(t, "over another connection when one is lost", func(s *stage) {
		l, err := s.net.Host("192.0.2.222").Listen(5060)
		if err != nil {
			s.Fatal(err)
		}
		defer l.Close()
		bob := s.actor(bobHost, AgentConfig{AOR: "sip:bob@biloxi.example.com", Server: "sip:192.0.2.222;transport=tcp"})
		bob.answer(s.Context(), Answering{Register: true})
		for range 2 {
			conn, err := l.Accept()
			if err != nil {
				s.Fatal(err)
			}
			b := make([]byte, 65536)
			n, _ := conn.Read(b)
			var m sip.Message
			if err := m.Parse(b[:n]); err != nil || m.Method() != sip.Register {
				s.Fatalf("%v: %s", err, b[:n])
			}
			conn.Write([]byte(response(&heard{raw: string(b[:n])}, "200 OK", "x", "Contact: <sip:bob@192.0.2.201:5060;transport=tcp>;expires=600")))
			synctest.Wait()
			conn.Close()
		}
		if !slices.Equal(bob.kinds(), []EventKind{Registered, RegisterFailed, Registered}) &&
			!slices.Equal(bob.kinds(), []EventKind{Registered, RegisterFailed, Registered, RegisterFailed}) {
			s.Errorf("%v", bob.kinds())
		}
	})
}
