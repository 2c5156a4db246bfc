package config

import "time"

// Proxy says how requests that are not for the server itself are forwarded.
type Proxy struct {
	RecordRoute     bool     `toml:"record_route"`     // stay in the way of the dialogs that begin here
	Trusted         []Prefix `toml:"trusted"`          // peers that are not challenged and may be relayed for; empty: nobody
	Recurse         bool     `toml:"recurse"`          // follow a 3xx of an own user's phone instead of passing it on
	TimerC          Duration `toml:"timer_c"`          // how long an INVITE may ring on without a new provisional response; over 3m
	NoAnswer        int      `toml:"no_answer"`        // status for an INVITE that nobody answered: 408 or 480
	Outbound        []string `toml:"outbound"`         // SIP URIs of next hops for domains that are not ours, tried in order; empty: DNS
	MaxTransactions int      `toml:"max_transactions"` // requests without a final response at a time
	MaxBreadth      int      `toml:"max_breadth"`      // branches that a request may have at a time, here and downstream (RFC 5393)
	DialogLifetime  Duration `toml:"dialog_lifetime"`  // how long after it was made or refreshed a dialog needs no credentials
	AssertIdentity  bool     `toml:"assert_identity"`  // write P-Asserted-Identity for who authenticated (RFC 3325)
}

// defaultProxy is the [proxy] of a server that says nothing about it.
func defaultProxy() Proxy {
	return Proxy{
		RecordRoute:     true, // a phone behind a NAT is reached over its own flow alone, within a dialog too
		TimerC:          Duration(3*time.Minute + 5*time.Second),
		NoAnswer:        408,    // RFC 3261 §16.7 step 6
		MaxTransactions: 200000, // 100,000 calls that ring, some 800 MB
		MaxBreadth:      60,     // RFC 5393 §5.3.3
		DialogLifetime:  Duration(24 * time.Hour),
	}
}

func (s *source) validateProxy(p *Proxy) {
	s.validateTrusted("proxy.trusted", p.Trusted)
	if p.TimerC <= Duration(minTimerC) || p.TimerC > Duration(maxTimerC) {
		s.fail("proxy.timer_c", "timer_c is %s; it is more than %s (RFC 3261 §16.6 step 11) and at most %s", p.TimerC, Duration(minTimerC), Duration(maxTimerC))
	}
	if p.NoAnswer != 408 && p.NoAnswer != 480 {
		s.fail("proxy.no_answer", "no_answer is %d; it is 408 (Request Timeout) or 480 (Temporarily Unavailable)", p.NoAnswer)
	}
	s.validateHops("proxy.outbound", p.Outbound)
	s.between("proxy.max_transactions", p.MaxTransactions, minTransactions, maxTransactions)
	s.between("proxy.max_breadth", p.MaxBreadth, 1, maxBreadth)
	if p.DialogLifetime < Duration(minDialog) || p.DialogLifetime > Duration(maxDialog) {
		s.fail("proxy.dialog_lifetime", "dialog_lifetime is %s; it is from %s to %s", p.DialogLifetime, Duration(minDialog), Duration(maxDialog))
	}
}
