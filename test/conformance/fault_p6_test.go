package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// bareLF has a message's lines end in LF alone, those of its body too.
var bareLF = Rewrite("\r\n", "\n")

// TestFaultP6: what phones write that is not quite SIP. Each header field of its own is in docs/headers.md.
func TestFaultP6(t *testing.T) {
	for _, transport := range []sip.Transport{udp, tcp, tls} {
		t.Run("P6 a phone whose lines end in LF alone registers and calls over "+transport.String(), func(t *testing.T) {
			simulate(t, func(t *testing.T, b *bed.Bed) {
				p := phoneOver(t, b, transport)
				p.Challenged()
				p.Start(p.Credentials(Credentials{}), Contact("Müller, B. <sip:"+p.User+"@192.0.2.9;pn-tok=>;app-imei=;"), bareLF)
				answer := p.Receive().Expect(200)
				answer.Bound("sip:" + p.User + "@192.0.2.9;pn-tok=")
				wellFormed(t, answer)
				p.Once(Method("OPTIONS"), URI("sip:"+bed.Domain), bareLF).Expect(200)
			})
		})
	}
	t.Run("P6 a request whose lines end in LF alone goes on with CRLFs, and its body as it is", onStage(func(s *stage) {
		bob := s.phone()
		const body = "v=0\ns=Session\n\na=x\r\n"
		for _, hop := range []Hop{s.Hop(udp), s.Hop(tcp)} {
			s.alice.Invite(bobAOR, SendTo(hop), From("Jürgen Müller, Dr. <"+s.alice.AOR()+">;tag=1"), Line("X-Odd:  y\r\n\tz", "no colon"),
				func(r *Request) { r.Body = "@BODY"; r.NoLength = true }, Line("Content-Length: 20"), bareLF, Rewrite("@BODY", body))
			offer := bob.Expect("INVITE").WantBody(body)
			head := strings.TrimSuffix(offer.Raw, body)
			if !strings.Contains(head, "X-Odd:  y\r\n\tz\r\nno colon\r\n") || strings.ContainsAny(strings.ReplaceAll(head, "\r\n", ""), "\r\n") {
				offer.Fatalf("the lines are not as they were with CRLFs")
			}
			refuse(offer, 486, bareLF)
			answer := s.alice.Expect("486 INVITE")
			if strings.Contains(strings.ReplaceAll(answer.Raw, "\r\n", ""), "\n") {
				answer.Fatalf("a line ends in LF alone")
			}
		}
	}))
	t.Run("P6 a stream is cut where its header section ends, whatever its lines end in", onStage(func(s *stage) {
		bob := s.phone()
		stream := s.Dial(s.t, tcp)
		defer stream.Close()
		wire := OverStream(tcp, stream)
		// Whoever knows CRLF alone would read on into the body, and find the header fields and the next message there.
		inner := "X: y\r\nRoute: <sip:192.0.2.66;lr>\r\n\r\n"
		one := options(wire, "one", fmt.Sprintf("Content-Length: %d\n\n%s", len(inner), inner))
		two := options(wire, "two", "Content-Length: 0\n\r\n")
		three := strings.ReplaceAll(options(wire, "three", "Content-Length: 0\n\n"), "\n", "\r\n")
		for _, b := range []byte(one + "\n\r\n" + two + three) {
			if err := wire.Send([]byte{b}); err != nil {
				s.t.Fatal(err)
			}
		}
		for _, id := range []string{"one", "two", "three"} {
			ask := bob.Expect("OPTIONS").Want("Call-ID", id)
			if id == "one" {
				ask.WantBody(inner).Lacks("Route", "X")
			}
			bob.Reply(ask, 200)
		}
	}))
	t.Run("P6 a CR alone opens no header field for whoever takes it for the end of a line", onStage(func(s *stage) {
		bob := s.phone()
		for _, line := range []string{"Subject: a\rRoute: <sip:192.0.2.66;lr>", "Subject: a\r\r\n Route: <sip:192.0.2.66;lr>", "a\rb", "Subject\r: a"} {
			s.alice.Invite(bobAOR, Line(line))
		}
		s.alice.Invite(bobAOR, Replace("From", "a\rb <"+s.alice.AOR()+">;tag=1"))
		silent(time.Minute, bob, s.alice)
	}))
	t.Run("P6 what one phone wrote badly is shown well-formed to another", onStage(func(s *stage) {
		p := newPhone(s.t, s.Bed)
		p.Register(Contact(`Smith, J. <sip:one@192.0.2.201;x=;;y>;app-imei=;a=b@c/d==;;+sip.instance=<urn:uuid:1>; e{f}=1;g="a` + "\r\n" + ` b";`)).Expect(200)
		answer := again(s.t, s.Bed, p).Query().Expect(200).Bound("sip:one@192.0.2.201;x=;;y")
		wellFormed(s.t, answer)
		want := `<sip:one@192.0.2.201;x=;;y>;app-imei="";a="b@c/d==";+sip.instance="<urn:uuid:1>";g="a b";expires=`
		if got := answer.Header("Contact"); !strings.HasPrefix(got, want) {
			answer.Fatalf("the Contact is not %s", want)
		}
	}))
	t.Run("P6 an instance without quotes is the same phone as with them", onStage(func(s *stage) {
		p := newPhone(s.t, s.Bed)
		p.Register(Contact(`<sip:a@192.0.2.201>;+sip.instance="<urn:uuid:1>";reg-id=1`), Line("Supported: path, outbound")).Expect(200)
		p.Register(Contact(`<sip:b@192.0.2.202>;+sip.instance=<urn:uuid:1>;reg-id=1`), Line("Supported: path, outbound")).Expect(200).Bound("sip:b@192.0.2.202")
	}))
	t.Run("P6 a Path that is not well-formed is followed by a Route that is", onStage(func(s *stage) {
		edge := s.agent("edge", "192.0.2.55")
		p := phoneOf(s.t, s.Bed, udp, "bob")
		p.Register(Contact("<sip:bob@192.0.2.201>"), Line("Supported: path", "Path: Edge, 1 <sip:192.0.2.55;lr>;x=;")).Expect(200)
		s.alice.Invite(bobAOR)
		offer := edge.Expect("INVITE").Want("Route", `"Edge, 1" <sip:192.0.2.55;lr>;x=""`)
		edge.Reply(offer, 486)
		s.alice.Expect("486 INVITE")
	}))
	t.Run("P6 a caller's claim is read from what looks like one of ours, in any form", onStage(func(s *stage) {
		s.phone()
		for _, from := range []string{"Müller, A. <sip:alice@" + bed.Domain + ">;tag=1", "<sip:alice@" + bed.Domain + ";x=>;tag=", "Alice/1 <SIP:alice@" + strings.ToUpper(bed.Domain) + ".;;>;tag=2;"} {
			s.alice.Invite(bobAOR, From(from))
			s.alice.Expect("407 INVITE")
		}
		s.alice.Invite(bobAOR, From("sip:alice@"+bed.Domain+" <"+s.alice.AOR()+">;tag=1"))
		s.alice.Expect(400)
	}))
	t.Run("P6 an answer is passed on as it came", onStage(func(s *stage) {
		bob := s.phone()
		s.alice.Invite(bobAOR)
		odd := []string{"Contact: Smith, J. <" + bob.ContactURI(udp) + ">;x=;", "Server: a\xff(", "Allow:", "X-Odd;", "P-Asserted: Müller, B. <sip:b@h", "Content-Type: a/b", "Content-Type: c/d"}
		bob.Reply(bob.Expect("INVITE"), 200, NoBody(), Line(odd...))
		answer := s.alice.Expect("200 INVITE")
		if !bytes.Contains([]byte(answer.Raw), []byte("\r\n"+strings.Join(odd, "\r\n")+"\r\n")) {
			answer.Fatalf("it came as %q", odd)
		}
	}))
}

// options is an OPTIONS to bob whose lines end in LF, up to what end adds.
func options(w Wire, id, end string) string {
	return "OPTIONS " + bobAOR + " SIP/2.0\nVia: SIP/2.0/TCP " + w.Local().String() + ";branch=" + sip.MagicCookie + id +
		"\nMax-Forwards: 70\nFrom: <sip:alice@" + foreign + ">;tag=1\nTo: <" + bobAOR + ">\nCall-ID: " + id + "\nCSeq: 1 OPTIONS\n" + end
}
