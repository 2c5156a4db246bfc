package bench

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/sip"
)

func TestScenarios(t *testing.T) {
	for _, s := range Scenarios {
		if s == Connect {
			continue // over connections alone
		}
		t.Run(string(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer()
				res := runOn(t, config(s), p)
				if !res.OK() || res.Operations != 100 || res.Retransmissions != 0 || res.Overtaken != 0 {
					t.Errorf("%+v\n%+v", res, res.Sample)
				}
				if s == Register && res.Challenges != 100 {
					t.Errorf("%d challenges", res.Challenges)
				}
				if s.proxied() && len(p.contacts) != 0 {
					t.Errorf("%d contacts are left", len(p.contacts))
				}
			})
		})
	}
}

// TestWrongAnswers has each answer of a server altered in one way, which must be noticed.
func TestWrongAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		scenario Scenario
		fault    fault
		old, new string
	}{
		"status":       {Options, faultStatus, "200 OK", "500 Server Internal Error"},
		"Call-ID":      {Options, faultCallID, "Call-ID: ", "Call-ID: 0"},
		"CSeq":         {Options, faultCSeq, "1 OPTIONS", "2 OPTIONS"},
		"CSeq method":  {Options, faultCSeq, "1 OPTIONS", "1 MESSAGE"},
		"From":         {Options, faultFrom, "From: <sip:user", "From: <sip:abuser"},
		"To":           {Options, faultTo, "To: <sip:", "To: <sips:"},
		"no tag":       {Options, faultTo, ";tag=314159", ""},
		"two Vias":     {Options, faultVia, "\r\nFrom", "\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom"},
		"not for us":   {Options, faultVia, "branch=z9hG4bK", "branch=z9hG4bK0"},
		"malformed":    {Options, faultSyntax, "\r\nCSeq", "\r\nCSeq: x\r\nCSeq"},
		"no contact":   {Register, faultContact, "Contact: <sip:user", "Contact: <sip:abuser"},
		"too long":     {Register, faultContact, "expires=3600", "expires=3601"},
		"expired":      {Register, faultContact, "expires=3600", "expires=0"},
		"hop limit":    {Message, faultRequest, "Max-Forwards: 69", "Max-Forwards: 70"},
		"other target": {Message, faultRequest, "@192.0.2.1:5060 SIP", "@192.0.2.1:5061 SIP"},
		"other text":   {Message, faultRequest, "Watson", "Holmes"},
		"a route left": {Call, faultRequest, "Max-Forwards: 69", "Max-Forwards: 69\r\nRoute: <sip:192.0.2.2;lr>"},
		"ACK lost":     {Call, faultACK, "ACK sip", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer()
				cfg := config(c.scenario)
				cfg.Count, cfg.Concurrency = 3, 1
				measured := false
				p.change = func(b []byte) []byte {
					measured = measured || !cfg.Scenario.proxied() || !bytes.Contains(b, []byte(" REGISTER\r\n"))
					switch {
					case !measured || bytes.Contains(b, []byte(" REGISTER\r\n")) && cfg.Scenario.proxied():
						return b
					case c.new == "" && bytes.HasPrefix(b, []byte(c.old)):
						return nil
					}
					return bytes.Replace(b, []byte(c.old), []byte(c.new), 1)
				}
				res := runOn(t, cfg, p)
				if res.OK() || res.Faults[faultNames[c.fault]] == 0 {
					t.Errorf("wrong: %d %v, unanswered %d", res.Wrong, res.Faults, res.Unanswered)
				}
			})
		})
	}
}

// TestRetransmissions: RFC 3261 §17.1.2.2: at 0.5, 1.5, 3.5, 7.5, 11.5 s and so on up to 32 s.
func TestRetransmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer()
		p.change = func([]byte) []byte { return nil }
		cfg := config(Options)
		cfg.Count, cfg.Concurrency = 1, 1
		start := time.Now()
		res := runOn(t, cfg, p)
		if res.Unanswered != 1 || res.Retransmissions != 10 || res.OK() || res.Sample == nil {
			t.Errorf("%d unanswered, %d retransmissions, want 1 and 10", res.Unanswered, res.Retransmissions)
		}
		if took := time.Since(start); took < 32*time.Second || took > 33*time.Second {
			t.Errorf("given up after %v", took)
		}
	})
}

// TestLoss loses every third message, and everything must go well all the same.
func TestLoss(t *testing.T) {
	for _, s := range []Scenario{Register, Refresh, Query, Message, Call} {
		t.Run(string(s), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer()
				n := 0
				p.change = func(b []byte) []byte {
					if n++; n%3 == 0 || bytes.HasPrefix(b, []byte("SIP/2.0 100")) { // the peer does not retransmit for us
						return nil
					}
					return b
				}
				cfg := config(s)
				cfg.Count = 30
				res := runOn(t, cfg, p)
				if res.Unanswered > 0 || res.Wrong > 0 || res.Operations != 30 || res.Retransmissions == 0 {
					t.Errorf("%+v %+v", res, res.Sample)
				}
			})
		})
	}
}

// TestRate: operations begin when they are due, whatever the server does, and latency counts from then.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := config(Options)
		cfg.Count, cfg.Rate, cfg.Duration, cfg.Concurrency = 0, 100, 10*time.Second, 1
		p := newPeer()
		slow := true
		p.change = func(b []byte) []byte {
			if slow {
				slow = false
				time.Sleep(time.Second)
			}
			return b
		}
		res := runOn(t, cfg, p)
		if res.Operations < 990 || res.Operations > 1010 {
			t.Errorf("%d operations in 10 s, want 1000", res.Operations)
		}
		if res.Latency.Max < 0.99e6 || res.Latency.P50 > 1e5 || res.Latency.P99 < 0.5e6 {
			t.Errorf("latency %+v: a second's stall must show in the operations that were due meanwhile", res.Latency)
		}
	})
}

// TestInterrupt: what was measured until then is there, and what is under way is not waited for.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		cfg := config(Options)
		cfg.Count, cfg.Rate, cfg.Duration, cfg.Concurrency = 0, 100, time.Hour, 4
		p := newPeer()
		n := 0
		p.change = func(b []byte) []byte {
			if n++; n%50 == 0 {
				return nil
			}
			return b
		}
		start := time.Now()
		res := runUntil(t, ctx, cfg, p)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("it took %v to end", took)
		}
		if res.Operations < 280 || res.Seconds != 3 || res.Rate < 90 {
			t.Errorf("%+v", res)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no scenario":      func(c *Config) { c.Scenario = "dance" },
		"no transport":     func(c *Config) { c.Transport = sip.WS },
		"connect over udp": func(c *Config) { c.Scenario = Connect },
		"nobody":           func(c *Config) { c.Users = nil },
		"nobody to call":   func(c *Config) { c.Scenario, c.Users = Call, c.Users[:1] },
		"endless":          func(c *Config) { c.Count = 0 },
		"negative":         func(c *Config) { c.Rate = -1 },
		"idle":             func(c *Config) { c.Concurrency = 0 },
		"no TLS":           func(c *Config) { c.Transport = sip.TLS },
	} {
		c := config(Options)
		change(&c)
		if c.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
