package siptest

import (
	"fmt"
	"strconv"
	"strings"
	"testing/synctest"
	"time"
)

// Expect returns the next message, and fails the test unless it is what it says: a method for a request,
// a status for a response (180, or "180"), or a status and the method of its CSeq ("200 CANCEL"). A 100 is
// passed over unless it is expected; nothing else is. It waits up to the agent's Wait.
func (a *Agent) Expect(what any) *Received {
	a.T.Helper()
	return a.ExpectWithin(a.Wait, what)
}

// ExpectWithin is Expect with a time of its own to wait.
func (a *Agent) ExpectWithin(d time.Duration, what any) *Received {
	a.T.Helper()
	want := fmt.Sprint(what)
	for {
		r := a.next(d)
		if r == nil {
			a.T.Fatalf("%s: nothing came in %v, want %s", a.User, d, want)
		}
		if r.Status() == 100 && !strings.HasPrefix(want, "100") {
			continue
		}
		if !r.Is(want) {
			r.Fatalf("not %s", want)
		}
		return r
	}
}

// Next returns the next message, whatever it is, or nil if none comes within d. It passes over no 100.
func (a *Agent) Next(d time.Duration) *Received {
	a.T.Helper()
	return a.next(d)
}

func (a *Agent) next(d time.Duration) *Received {
	a.T.Helper()
	var r *Received
	select {
	case r = <-a.inbox:
	default:
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case r = <-a.inbox:
		case <-timer.C:
			return nil
		}
	}
	r.parse()
	if a.observer != nil {
		a.observer(false, r.Hop, []byte(r.Raw))
	}
	return r
}

// ExpectNothing lets d go by and fails the test if a message is there then, of before or from meanwhile;
// a 100 too. It is for a bubble of testing/synctest only.
func (a *Agent) ExpectNothing(d time.Duration) {
	a.T.Helper()
	time.Sleep(d)
	synctest.Wait()
	select {
	case r := <-a.inbox:
		r.parse()
		r.Fatalf("%s expects nothing for %v", a.User, d)
	default:
	}
}

// Drain takes all that is there now out of the inbox and returns it. It is for a bubble only.
func (a *Agent) Drain() (list []*Received) {
	a.T.Helper()
	synctest.Wait()
	for len(a.inbox) > 0 {
		list = append(list, a.next(0))
	}
	return list
}

// Is reports whether the message is of a method, a status, or a status and a method.
func (r *Received) Is(what string) bool {
	code, method, both := strings.Cut(what, " ")
	if n, err := strconv.Atoi(code); err == nil {
		return r.Status() == n && (!both || r.CSeqMethod() == method)
	}
	return string(r.Method()) == what
}
