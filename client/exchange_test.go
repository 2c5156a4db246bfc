package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// during the bubble: a client whose datagrams go through pipes to the script.
func bubble(t *testing.T, server string, s script, test func(c *Client, u *uas)) {
	synctest.Test(t, func(t *testing.T) {
		u := &uas{t: t, script: s}
		c, err := New(Config{AOR: "sip:bob@biloxi.example.com", Server: server, Dial: pipes{u, t}.dial})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		test(c, u)
	})
}

func (u *uas) times(start time.Time) (at []string) {
	for _, r := range u.requests() {
		at = append(at, fmt.Sprint(r.at.Sub(start).Seconds()))
	}
	return at
}

const silentServer = "sip:192.0.2.222;transport=udp"

func silence(int, *seenRequest) [][]byte { return nil }

// RFC 3261 §17.1.2.2: Timer E doubles from 500 ms to 4 s; Timer F ends it after 32 s.
func TestTimersEAndF(t *testing.T) {
	bubble(t, silentServer, silence, func(c *Client, u *uas) {
		start := time.Now()
		res, err := c.Query(context.Background())
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || timeout.Heard || time.Since(start) != 32*time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		if got := fmt.Sprint(u.times(start)); got != "[0 0.5 1.5 3.5 7.5 11.5 15.5 19.5 23.5 27.5 31.5]" {
			t.Errorf("sent at %s", got)
		}
		if res.Requests != 1 || res.Retransmissions != 10 {
			t.Errorf("%+v", res)
		}
		for _, r := range u.requests() {
			if r.raw != u.requests()[0].raw {
				t.Error("a retransmission differs")
			}
		}
	})
}

// RFC 3261 §17.1.2.2, Proceeding: when Timer E fires behind a provisional response it is set to T2.
func TestProvisionalResponseSlowsRetransmissions(t *testing.T) {
	trying := func(n int, r *seenRequest) [][]byte {
		if n == 1 {
			return [][]byte{r.answer("100 Trying")}
		}
		return nil
	}
	bubble(t, silentServer, trying, func(c *Client, u *uas) {
		start := time.Now()
		_, err := c.Query(context.Background())
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || !timeout.Heard || time.Since(start) != 32*time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		if got := fmt.Sprint(u.times(start)); got != "[0 0.5 4.5 8.5 12.5 16.5 20.5 24.5 28.5]" {
			t.Errorf("sent at %s", got)
		}
	})
}

func TestLostDatagramsAreSentAgain(t *testing.T) {
	third := func(n int, r *seenRequest) [][]byte {
		if n == 3 {
			return [][]byte{r.answer("200 OK")}
		}
		return nil
	}
	bubble(t, silentServer, third, func(c *Client, u *uas) {
		start := time.Now()
		res, err := c.Query(context.Background())
		if err != nil || !res.OK() || res.Retransmissions != 2 || time.Since(start) != 1500*time.Millisecond {
			t.Errorf("%+v, %v after %v", res, err, time.Since(start))
		}
	})
}

// Over a stream nothing is sent again.
func TestNoRetransmissionOverTCP(t *testing.T) {
	bubble(t, "sip:192.0.2.222;transport=tcp", silence, func(c *Client, u *uas) {
		start := time.Now()
		_, err := c.Query(context.Background())
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || time.Since(start) != 32*time.Second || len(u.requests()) != 1 {
			t.Errorf("%v after %v, %d requests", err, time.Since(start), len(u.requests()))
		}
	})
}

func TestContextEndsACall(t *testing.T) {
	t.Run("deadline", func(t *testing.T) {
		bubble(t, silentServer, silence, func(c *Client, u *uas) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			start := time.Now()
			_, err := c.Query(ctx)
			var timeout *TimeoutError
			if !errors.As(err, &timeout) || time.Since(start) != 3*time.Second {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("cancel", func(t *testing.T) {
		bubble(t, silentServer, silence, func(c *Client, u *uas) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(2*time.Second, cancel)
			start := time.Now()
			_, err := c.Query(ctx)
			if d := time.Since(start); !errors.Is(err, context.Canceled) || d < 2*time.Second || d > 2*time.Second+turn {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	})
	t.Run("before", func(t *testing.T) {
		bubble(t, silentServer, silence, func(c *Client, u *uas) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := c.Query(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	})
}

// A late answer to the last request is no answer to this one.
func TestLateAnswerOfTheRequestBefore(t *testing.T) {
	var late []byte
	s := func(n int, r *seenRequest) [][]byte {
		answer := r.answer("200 OK", fmt.Sprintf("Contact: <sip:%d@192.0.2.4>;expires=60", n))
		out := [][]byte{late, answer}
		if late == nil {
			out = out[1:]
		}
		late = answer
		return out
	}
	bubble(t, silentServer, s, func(c *Client, u *uas) {
		for n := 1; n <= 3; n++ {
			res, err := c.Query(context.Background())
			if err != nil || res.Contacts[0].URI != fmt.Sprintf("sip:%d@192.0.2.4", n) || res.Ignored != min(n-1, 1) {
				t.Errorf("%+v, %v", res, err)
			}
		}
	})
}

func TestOtherTimers(t *testing.T) {
	timers := Timers{T1: time.Second, T2: 2 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		u := &uas{t: t, script: silence}
		c, err := New(Config{AOR: "sip:bob@biloxi.example.com", Server: silentServer, Dial: pipes{u, t}.dial, Timers: timers})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		if _, err := c.Query(context.Background()); err == nil || time.Since(start) != timers.F() || len(u.requests()) != 33 {
			t.Errorf("%v after %v, %d requests", err, time.Since(start), len(u.requests()))
		}
	})
	if f := (Timers{}).F(); f != 32*time.Second {
		t.Errorf("Timer F is %v", f)
	}
}

func TestIPv6(t *testing.T) {
	bubble(t, "sip:[2001:db8::9:2]:5070;transport=udp", always("200 OK"), func(c *Client, u *uas) {
		res, err := c.Query(context.Background())
		if err != nil || !res.OK() || res.Ignored != 0 || res.Remote.String() != "[2001:db8::9:2]:5070" || res.Seen != res.Local {
			t.Errorf("%+v, %v", res, err)
		}
		if via := u.requests()[0].field("Via"); !strings.HasPrefix(via, "SIP/2.0/UDP [2001:db8::9:1]:5060;rport;branch=") {
			t.Error(via)
		}
	})
}
