package client

import "time"

// alarms are the timers of an Agent's loop: few, so that a list will do.
type alarms struct {
	list []*alarm
}

// alarm is one of them.
type alarm struct {
	at time.Time
	do func() // nil: it has fired or was stopped
}

// set has the loop call do after d.
func (a *alarms) set(d time.Duration, do func()) *alarm {
	one := &alarm{at: time.Now().Add(d), do: do}
	a.list = append(a.list, one)
	return one
}

// stop keeps the alarm from firing; on one that is nil it does nothing.
func (one *alarm) stop() {
	if one != nil {
		one.do = nil
	}
}

// next is how long it is until the first alarm; false if there is none.
func (a *alarms) next(now time.Time) (time.Duration, bool) {
	kept := a.list[:0]
	var first *alarm
	for _, one := range a.list {
		if one.do == nil {
			continue
		}
		kept = append(kept, one)
		if first == nil || one.at.Before(first.at) {
			first = one
		}
	}
	clear(a.list[len(kept):])
	a.list = kept
	if first == nil {
		return 0, false
	}
	return max(first.at.Sub(now), 0), true
}

// fire calls those that are due, in the order of their times.
func (a *alarms) fire(now time.Time) {
	for {
		var first *alarm
		for _, one := range a.list {
			if one.do != nil && !one.at.After(now) && (first == nil || one.at.Before(first.at)) {
				first = one
			}
		}
		if first == nil {
			return
		}
		do := first.do
		first.do = nil
		do()
	}
}
