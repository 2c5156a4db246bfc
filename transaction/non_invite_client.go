package transaction

// RFC 3261 §17.1.2.2: the request is sent in Trying; Timer E runs over unreliable transports only, Timer F over
// all.
func (m machine) startNonInviteClient(t Timers, now moment) machine {
	m.enter(Trying, now, t.timeout())
	if !m.reliable {
		m.setAgain(now, t.T1)
	}
	return m
}

// nonInviteClient is a step of figure 6.
func (m machine) nonInviteClient(t Timers, now moment, e event) (machine, do) {
	switch {
	case m.state == Trying || m.state == Proceeding:
		return m.nonInviteWaiting(t, now, e)
	case m.state == Completed && e == endFires: // Timer K
		m.terminate()
	}
	return m, 0
}

// nonInviteWaiting is a step of Trying or Proceeding, which differ in Timer E.
func (m machine) nonInviteWaiting(t Timers, now moment, e event) (machine, do) {
	switch e {
	case againFires:
		// RFC 3261 §17.1.2.2, erratum 2769: in Trying Timer E doubles each time up to T2; in Proceeding it is T2.
		next := t.T2
		if m.state == Trying {
			next = min(2*m.interval, t.T2)
		}
		m.setAgain(now, next)
		m.spend()
		return m, sendRequest
	case endFires:
		// RFC 3261 §17.1.2.2, Timer F.
		m.terminate()
		return m, tellTimeout
	case transportError:
		m.terminate()
		return m, tellError
	case provisional:
		m.state = Proceeding
		if m.most = 0; !m.reliable && m.again == never {
			m.setAgain(now, t.T2) // somebody is there
		}
		return m, tellResponse
	case success, failure:
		// RFC 3261 §17.1.2.2, Timer K: what comes again is absorbed.
		m.enter(Completed, now, m.unlessReliable(t.T4))
		return m, tellResponse
	}
	return m, 0
}
