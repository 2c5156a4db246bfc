package client

import "time"

// Timers are the base values of RFC 3261 §17.1.1.1. The zero value stands for the RFC's.
type Timers struct {
	T1 time.Duration // estimate of the round trip; 0: 500 ms
	T2 time.Duration // longest interval between retransmissions; 0: 4 s
}

func (t Timers) orDefault() Timers {
	if t.T1 <= 0 {
		t.T1 = 500 * time.Millisecond
	}
	if t.T2 <= 0 {
		t.T2 = 4 * time.Second
	}
	return t
}

// F is how long a request waits for its final response (RFC 3261 §17.1.2.2: 64*T1).
func (t Timers) F() time.Duration { return 64 * t.orDefault().T1 }
