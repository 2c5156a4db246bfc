package transaction

import "time"

// Timers are the base values of RFC 3261 §17.1.1.1, §17.1.2.2 and appendix A. The zero value of each stands for
// the RFC's.
type Timers struct {
	T1 time.Duration // estimate of the round trip; 0: 500 ms
	T2 time.Duration // longest interval between retransmissions of a non-INVITE request or a response; 0: 4 s
	T4 time.Duration // how long a message stays in the network; 0: 5 s
}

const (
	// minD is the least that Timer D may be over an unreliable transport (RFC 3261 §17.1.1.2): the server's T1
	// is not known.
	minD = 32 * time.Second

	// trying is how long the user of an INVITE server transaction has before a 100 is sent (RFC 3261 §17.2.1).
	tryingDelay = 200 * time.Millisecond
)

func (t Timers) orDefault() Timers {
	if t.T1 <= 0 {
		t.T1 = 500 * time.Millisecond
	}
	if t.T2 <= 0 {
		t.T2 = 4 * time.Second
	}
	if t.T4 <= 0 {
		t.T4 = 5 * time.Second
	}
	return t
}

// timeout is 64*T1: Timers B, F, H, J, L and M.
func (t Timers) timeout() time.Duration { return 64 * t.T1 }

// d is Timer D over an unreliable transport.
func (t Timers) d() time.Duration { return max(minD, t.timeout()) }

// untilT2 is how long a client takes until it resets Timer E to T2 (RFC 4320 §4.1): 3.5 s with the RFC's values.
func (t Timers) untilT2() time.Duration {
	at, interval := time.Duration(0), t.T1
	for {
		at += interval
		if interval = min(2*interval, t.T2); interval == t.T2 {
			return at
		}
	}
}
