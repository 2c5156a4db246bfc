package conformance

import (
	"context"
	cryptotls "crypto/tls"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// crowd opens n connections to the server from each of many sources, and does what is to be done with each.
func crowd(s *stage, over sip.Transport, sources, n int, do func(net.Conn)) (conns []net.Conn) {
	s.t.Helper()
	for i := range n {
		for source := range sources {
			c, err := s.net.Host(fmt.Sprintf("198.51.%d.%d", source/250, 1+source%250)).Dial(context.Background(), s.Addr(over).String())
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() { c.Close() })
			conns = append(conns, c)
			if do != nil {
				do(c)
			}
			if (i*sources+source)%64 == 0 {
				synctest.Wait()
			}
		}
	}
	synctest.Wait()
	return conns
}

// registersAtOnce is a phone that comes while they are there.
func registersAtOnce(s *stage, over sip.Transport) *Phone {
	s.t.Helper()
	start := time.Now()
	p := phoneOver(s.t, s.Bed, over)
	p.Register(Contact("<" + p.Scheme + ":x@192.0.2.1>")).Expect(200)
	if d := time.Since(start); d > 50*time.Millisecond {
		s.t.Errorf("registered after %v", d)
	}
	return p
}

// TestFaultS4: who connects to the TLS listener and says nothing, or not enough, keeps nobody out.
func TestFaultS4(t *testing.T) {
	for name, say := range map[string]func(net.Conn){
		"are silent":             nil,
		"send a byte of a hello": func(c net.Conn) { _, _ = c.Write([]byte{22}) },
		"have begun a handshake": func(c net.Conn) {
			go func() { _ = cryptotls.Client(deaf{c}, &cryptotls.Config{InsecureSkipVerify: true}).Handshake() }()
		},
	} {
		t.Run("S4 20 sources with 256 connections each that "+name, onStage(func(s *stage) {
			registered := registersAtOnce(s, tls)
			crowd(s, tls, 20, 256, say)
			registersAtOnce(s, tls)
			registered.Query().Expect(200)
			time.Sleep(time.Minute)
			registered.Query().Expect(200)
		}))
	}
	t.Run("S4 a silent one is closed after five seconds", onStage(func(s *stage) {
		c := crowd(s, tls, 1, 1, nil)[0]
		start := time.Now()
		_, _ = c.Read(make([]byte, 1))
		if d := time.Since(start); d != 5*time.Second {
			s.t.Errorf("closed after %v", d)
		}
	}, func(c *config.Config) { c.Limits.HandshakeTimeout = config.Duration(30 * time.Second) }))
}

// deaf is a connection that reads nothing until it is closed.
type deaf struct{ net.Conn }

func (d deaf) Read([]byte) (int, error) {
	b := make([]byte, 1<<10)
	for {
		if _, err := d.Conn.Read(b); err != nil {
			return 0, err
		}
	}
}

// TestFaultS10: connections that have authenticated nothing.
func TestFaultS10(t *testing.T) {
	few := func(c *config.Config) { c.Limits.Connections, c.Limits.ConnectionsPerSource = 300, 100 }
	for _, over := range []sip.Transport{tcp, tls} {
		t.Run("S10 three silent sources keep no new phone out of "+over.String(), onStage(func(s *stage) {
			var phones []*Phone
			for range 20 {
				phones = append(phones, registersAtOnce(s, over))
			}
			crowd(s, over, 3, 100, nil)
			for range 20 {
				phones = append(phones, registersAtOnce(s, over))
			}
			crowd(s, over, 100, 3, nil)
			for _, p := range phones {
				p.Query().Expect(200)
			}
		}, few))
	}
	t.Run("S10 strangers' OPTIONS do not make them known", onStage(func(s *stage) {
		p := registersAtOnce(s, tcp)
		crowd(s, tcp, 3, 100, func(c net.Conn) {
			_, _ = c.Write([]byte("OPTIONS sip:" + bed.Domain + " SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK" + Token() +
				"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: " + Token() + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
		})
		registersAtOnce(s, tcp)
		p.Query().Expect(200)
	}, few))
	t.Run("S10 a source's own oldest gives way", onStage(func(s *stage) {
		old := crowd(s, tcp, 1, 101, nil)
		if _, err := old[0].Read(make([]byte, 1)); err == nil || !bed.ErrClosed(err) {
			s.t.Errorf("the oldest: %v", err)
		}
		_ = old[1].SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := old[1].Read(make([]byte, 1)); err == nil || bed.ErrClosed(err) {
			s.t.Errorf("the next: %v", err)
		}
	}, few))
}
