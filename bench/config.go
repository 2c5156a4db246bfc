package bench

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"biloxi/sip"
)

// Scenario is what one operation is.
type Scenario string

// The scenarios.
const (
	Options  Scenario = "options"  // OPTIONS to the server, and its 200
	Register Scenario = "register" // REGISTER without credentials, its 401, REGISTER with them, and the 200
	Refresh  Scenario = "refresh"  // REGISTER with a nonce that was used before, and the 200
	Query    Scenario = "query"    // REGISTER without a contact, and the 200 with the contacts
	Message  Scenario = "message"  // MESSAGE to another subscriber, whose phone is played too
	Call     Scenario = "call"     // INVITE, 180, 200, ACK, BYE, 200, both phones played
	Connect  Scenario = "connect"  // a connection opened, registered over, and held
)

// Scenarios lists them, the simplest first.
var Scenarios = []Scenario{Options, Register, Refresh, Query, Message, Call, Connect}

// proxied reports whether the tool's own phones are called.
func (s Scenario) proxied() bool { return s == Message || s == Call }

// Subscriber is who an operation is done for.
type Subscriber struct {
	Name     string // the user part of the address of record, as it stands in a URI
	Password string
}

// Config says what to measure.
type Config struct {
	Scenario  Scenario
	Transport sip.Transport // UDP, TCP or TLS
	Server    netip.AddrPort
	Domain    string       // of the addresses of record
	Users     []Subscriber // at least one, two for message and call
	Callers   string       // domain of those who send messages and call; empty: Domain
	TLS       *tls.Config  // for TLS; the server's name is in it

	// Concurrency is how many operations are under way at a time; with a Rate, how many may be at most.
	// For Connect, how many connections are being opened at a time.
	Concurrency int

	// Rate is how many operations are begun in a second, whether or not earlier ones have ended; latency
	// counts from when each was due. 0: each begins when another has ended.
	Rate float64

	// Workers is how many UDP sockets or connections there are; for Connect, all that are to be held.
	Workers int

	// Duration is how long is measured, behind the Warmup. Count, if not 0, ends it earlier: after so many.
	Duration, Warmup time.Duration
	Count            int64

	// Hold is how long Connect keeps its connections open, once all are registered.
	Hold time.Duration

	// Expires is what registrations ask for, in seconds.
	Expires uint32

	// T1 and T2 are those of RFC 3261 §17.1.1.1. Zero: 500 ms and 4 s.
	T1, T2 time.Duration

	// Processes are those of the server, with their children; none: its cost is not measured.
	Processes []int

	// Progress, if not nil, is told every second how it goes.
	Progress func(Progress)
}

// Progress is how a run goes.
type Progress struct {
	Stage      string        // what is being done: "registering", "warming up", "measuring", "ending"
	Elapsed    time.Duration // of this stage
	Operations int64         // of this stage
	Rate       float64       // operations per second, over the last second
	Errors     int64         // of the run
}

// check reports what cannot be measured.
func (c *Config) check() error {
	switch {
	case !slices.Contains(Scenarios, c.Scenario):
		return fmt.Errorf("there is no scenario %q", c.Scenario)
	case c.Transport != sip.UDP && c.Transport != sip.TCP && c.Transport != sip.TLS:
		return errors.New("the transport must be udp, tcp or tls")
	case c.Scenario == Connect && !c.Transport.Reliable():
		return errors.New("connect is for tcp and tls: udp has no connections")
	case len(c.Users) == 0, c.Scenario.proxied() && len(c.Users) < 2:
		return errors.New("there are too few users: one is needed, and two for message and call")
	case c.Concurrency < 1 || c.Workers < 1:
		return errors.New("at least one operation must be under way, over one socket")
	case c.Workers > maxWorkers:
		return fmt.Errorf("at most %d sockets or connections", maxWorkers)
	case c.Concurrency/c.Workers >= maxLanes:
		return fmt.Errorf("at most %d operations at a time", maxLanes)
	case c.Rate < 0, c.Duration < 0, c.Count < 0, c.Warmup < 0, c.Hold < 0:
		return errors.New("rate, durations and count must not be negative")
	case c.Duration == 0 && c.Count == 0 && c.Scenario != Connect:
		return errors.New("a duration or a count must say when it ends")
	case c.Transport == sip.TLS && c.TLS == nil:
		return errors.New("for tls, a TLS configuration is needed")
	}
	return nil
}

// settle sets what was left zero and takes back what cannot be used.
func (c *Config) settle() {
	if c.T1 == 0 {
		c.T1 = 500 * time.Millisecond
	}
	if c.T2 == 0 {
		c.T2 = 4 * time.Second
	}
	if c.Callers == "" {
		c.Callers = c.Domain
	}
	if c.Expires == 0 {
		c.Expires = 3600
	}
	if c.Scenario == Connect {
		return
	}
	if c.Rate == 0 {
		// A subscriber has one REGISTER under way at a time (RFC 3261 §10.2), and so one operation.
		c.Concurrency = min(c.Concurrency, len(c.Users))
	}
	c.Workers = min(c.Workers, c.Concurrency, len(c.Users))
}

// timeout is Timer B and F (RFC 3261 §17.1.1.2).
func (c *Config) timeout() time.Duration { return 64 * c.T1 }
