package server

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// logLines is a log that can be read while it is written.
type logLines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logLines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// ask sends a REGISTER of Bob's without credentials, and returns the answer.
func ask(t *testing.T, to string, branch string) string {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "REGISTER sip:biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s\r\n"+
		"From: <sip:bob@biloxi.example.com>;tag=1\r\nTo: <sip:bob@biloxi.example.com>\r\nCall-ID: %s\r\n"+
		"CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", c.LocalAddr(), branch, branch)
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

// TestSurvive shows that a fault of ours in one request is answered 500, counted, and ends nothing else.
func TestSurvive(t *testing.T) {
	t.Run("HD-017", func(t *testing.T) {
		var log logLines
		now := time.Now() // stands still: all faults are of one second
		s := startWith(t, testConfig(t), Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }})
		to := s.Addrs()[0].Local.String()
		whole := s.state.Load()
		broken := *whole
		broken.domains = nil // the first look-up is a fault
		s.state.Store(&broken)
		answer := ask(t, to, "fault")
		if !strings.HasPrefix(answer, "SIP/2.0 500 ") || !strings.Contains(answer, "branch=z9hG4bKfault") {
			t.Errorf("a fault is answered\n%s", answer)
		}
		const more = 100
		for i := range more {
			ask(t, to, fmt.Sprint("again", i))
		}
		if n := s.ledger.counters().Refused["internal"]; n != 1+more {
			t.Errorf("%d faults counted, want %d", n, 1+more)
		}
		if text := log.text(); !strings.Contains(text, "receive.go") {
			t.Errorf("no stack is logged:\n%s", text)
		} else if n := strings.Count(text, "reason=internal"); n != 1 {
			t.Errorf("%d lines for %d faults in a second", n, 1+more)
		}
		s.state.Store(whole)
		if answer := ask(t, to, "whole"); !strings.HasPrefix(answer, "SIP/2.0 401 ") {
			t.Errorf("after the fault:\n%s", answer)
		}
	})
}
