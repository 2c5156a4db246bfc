package conformance

import (
	"net"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// unframed is a message that cannot be bounded.
const unframed = "OPTIONS sip:x SIP/2.0\r\nCall-ID: 1\r\n\r\n"

// TestFaultR6: what comes after a request on its stream takes nobody's answer away.
func TestFaultR6(t *testing.T) {
	halfClose := func(t *testing.T, c net.Conn) {
		t.Helper()
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	// register sends what a phone with credentials would, with more behind it, and expects the 200.
	register := func(t *testing.T, b *bed.Bed, over sip.Transport, more string, end bool) {
		t.Helper()
		c := b.Dial(t, over)
		p := NewPhone(t, OverStream(over, c), b.User(), bed.Domain, "")
		p.Password = bed.Password(p.User)
		p.Challenged()
		contact := "<" + p.Scheme + ":x@192.0.2.1>"
		p.Start(p.Credentials(Credentials{}), Contact(contact), Rewrite("Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n\r\n"+more))
		if end {
			halfClose(t, c)
		}
		for {
			r := p.Receive().Expect(200, 400)
			if r.Status() == 200 {
				r.Bound(strings.Trim(contact, "<>"))
				return
			}
		}
	}
	b := start(t)
	for _, over := range []sip.Transport{tcp, tls} {
		for name, more := range map[string]string{
			"nothing": "", "what cannot be framed": unframed, "a head without an end": "X: " + strings.Repeat("x", 40_000),
			"a body too large": "MESSAGE sip:x SIP/2.0\r\nContent-Length: 100000000\r\n\r\n", "half a message": "MESSAGE sip:x SIP/2.0\r\nContent-Length: 100\r\n\r\nxx",
			"another request": "OPTIONS sip:" + bed.Domain + " SIP/2.0\r\nContent-Length: 0\r\n\r\n",
		} {
			for _, end := range []bool{false, true} {
				if !end && (more == "" || strings.HasPrefix(name, "half") || strings.HasPrefix(name, "another")) {
					continue // nothing ends the connection
				}
				title := "R6 the 200 goes out before " + name + " over " + over.String()
				if end {
					title += ", and a half-close"
				}
				t.Run(title, func(t *testing.T) {
					for range 5 {
						register(t, b, over, more, end)
					}
				})
			}
		}
	}
	t.Run("R6 an answer that a phone takes its time for", onStage(func(s *stage) {
		bob := s.phone()
		for _, over := range []sip.Transport{tcp, tls} {
			for _, last := range []string{"", unframed} {
				c := s.Dial(s.t, over)
				p := NewPhone(s.t, OverStream(over, c), "carol", foreign, "")
				p.Start(Method("MESSAGE"), URI(bobAOR), From("<sip:carol@"+foreign+">;tag=1"), To("<"+bobAOR+">"))
				offer := bob.Expect("MESSAGE")
				if last == "" {
					halfClose(s.t, c)
				} else {
					p.Send([]byte(last))
				}
				time.Sleep(time.Second)
				bob.Drain() // it was sent again
				bob.Reply(offer, 200)
				if r := p.Receive().Expect(100, 200); r.Status() == 100 {
					p.Receive().Expect(200)
				}
				if _, err := c.Read(make([]byte, 1)); !bed.ErrClosed(err) {
					s.t.Errorf("it is not closed then: %v", err)
				}
			}
		}
	}))
	t.Run("R6 an answer that never comes is not waited for for ever", onStage(func(s *stage) {
		bob := s.phone()
		c := s.Dial(s.t, tcp)
		p := NewPhone(s.t, OverStream(tcp, c), "carol", foreign, "")
		p.Start(Method("INVITE"), URI(bobAOR), From("<sip:carol@"+foreign+">;tag=1"), To("<"+bobAOR+">"), Contact("<sip:carol@192.0.2.9>"))
		bob.Reply(bob.Expect("INVITE"), 180)
		p.Receive() // 100
		p.Receive().Expect(180)
		halfClose(s.t, c)
		start := time.Now()
		_ = c.SetReadDeadline(start.Add(time.Hour))
		if _, err := c.Read(make([]byte, 1)); !bed.ErrClosed(err) {
			s.t.Error(err)
		}
		if d := time.Since(start); d != 32*time.Second {
			s.t.Errorf("closed after %v", d)
		}
	}))
	t.Run("R6 whose connection half closes is not called on it", onStage(func(s *stage) {
		bob := s.phone()
		c := s.Dial(s.t, tcp)
		p := NewPhone(s.t, OverStream(tcp, c), "alice", bed.Domain, bed.Password("alice"))
		p.Register(Contact("<sip:alice@192.0.2.77;transport=tcp>")).Expect(200)
		p.Start(Method("MESSAGE"), URI(bobAOR), From("<sip:carol@"+foreign+">;tag=1"), To("<"+bobAOR+">"))
		bob.Expect("MESSAGE")
		halfClose(s.t, c)
		time.Sleep(time.Second)
		s.alice.Request("MESSAGE", "sip:alice@"+bed.Domain)
		s.alice.Expect(480)
	}))
}
