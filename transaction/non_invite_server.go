package transaction

// RFC 3261 §17.2.2: begins in Trying.
//
// RFC 4320 §4.1: a 100 is due once the client's Timer E has reached T2, over any transport. RFC 4320 §4.2: the
// transaction expires when the client's Timer F has fired and nobody waits for an answer, so that one that comes
// then is not sent.
func (m machine) startNonInviteServer(t Timers, now moment) machine {
	m.enter(Trying, now, t.timeout())
	m.again = now + t.untilT2()
	return m
}

// nonInviteServer is a step of figure 8. A transport error changes no state: RFC 6026 §8.8 replaces §17.2.4 for
// all server transactions.
func (m machine) nonInviteServer(t Timers, now moment, e event) (machine, do) {
	switch {
	case m.state == Terminated:
		return m, 0
	case e == transportError:
		return m, tellError
	case e == endFires: // Timer J, or the client's Timer F
		m.terminate()
		return m, 0
	case m.state == Completed:
		// RFC 3261 §17.2.2: other final responses are discarded.
		if e == retransmission {
			return m, sendResponse
		}
		return m, 0
	}
	return m.nonInviteAnswering(t, now, e)
}

// nonInviteAnswering is a step of Trying or Proceeding.
func (m machine) nonInviteAnswering(t Timers, now moment, e event) (machine, do) {
	switch e {
	case success, failure:
		// RFC 3261 §17.2.2, erratum 1470: a final response may come in Trying too.
		m.enter(Completed, now, m.unlessReliable(t.timeout()))
		return m, sendResponse
	case againFires:
		m.state, m.again = Proceeding, never
		return m, sendResponse
	case provisional:
		// RFC 4320 §4.1: over an unreliable transport a 100 that comes early is left to the timer.
		if m.state == Trying && !m.reliable {
			return m, 0
		}
		m.state, m.again = Proceeding, never
		return m, sendResponse
	case retransmission:
		// RFC 3261 §17.2.2: in Trying there is nothing to send.
		if m.state == Proceeding {
			return m, sendResponse
		}
	}
	return m, 0
}
