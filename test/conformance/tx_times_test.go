package conformance

import (
	"testing"
	"time"

	. "biloxi/siptest"
)

// tardy is how much behind its time a timer may fire: the transaction layer looks at its clock every 10 ms.
const tardy = 20 * time.Millisecond

// copies lets d go by and returns when messages came to an agent, each since the first. All are what it says.
func copies(a *Agent, what string, d time.Duration) (times []time.Duration) {
	a.T.Helper()
	time.Sleep(d)
	var first time.Time
	for _, r := range a.Drain() {
		if !r.Is(what) {
			r.Fatalf("not %s", what)
		}
		if first.IsZero() {
			first = r.At
		}
		times = append(times, r.At.Sub(first))
	}
	return times
}

// wantTimes fails the test unless times are these, in milliseconds, or a little later.
func wantTimes(t *testing.T, times []time.Duration, milliseconds ...int) {
	t.Helper()
	good := len(times) == len(milliseconds)
	for i := 0; good && i < len(times); i++ {
		want := time.Duration(milliseconds[i]) * time.Millisecond
		good = times[i] >= want && times[i] < want+tardy
	}
	if !good {
		t.Fatalf("copies at %v, want them at %v ms", times, milliseconds)
	}
}

// When Timer A has an INVITE sent again, and Timers E and G another request or a refusal, with the RFC's figures.
var (
	timerA = []int{0, 500, 1500, 3500, 7500, 15500, 31500}
	timerE = []int{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}
)

// copyOf fails the test unless a message came again byte by byte.
func copyOf(r *Received, first *Received) {
	r.T.Helper()
	if r.Raw != first.Raw {
		r.Fatalf("not the same as\n%s", first.Raw)
	}
}
