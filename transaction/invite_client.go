package transaction

// RFC 3261 §17.1.1.2: the request is sent in Calling; Timer A runs over unreliable transports only, Timer B over
// all.
func (m machine) startInviteClient(t Timers, now moment) machine {
	m.enter(Calling, now, t.timeout())
	if !m.reliable {
		m.setAgain(now, t.T1)
	}
	return m
}

// inviteClient is a step of figure 5, as RFC 6026 §8.4 draws it.
func (m machine) inviteClient(t Timers, now moment, e event) (machine, do) {
	switch m.state {
	case Calling:
		return m.inviteCalling(t, now, e)
	case Proceeding:
		return m.inviteProceeding(t, now, e)
	case Completed:
		return m.inviteCompleted(e)
	case Accepted:
		return m.inviteAccepted(e)
	}
	return m, 0
}

func (m machine) inviteCalling(t Timers, now moment, e event) (machine, do) {
	switch e {
	case againFires:
		// RFC 3261 §17.1.1.2: Timer A doubles each time, without a bound.
		m.setAgain(now, 2*m.interval)
		m.spend()
		return m, sendRequest
	case endFires:
		// RFC 3261 §17.1.1.2, Timer B: the user is told, no ACK is made.
		m.terminate()
		return m, tellTimeout
	case transportError:
		m.terminate()
		return m, tellError
	case userCancel:
		// RFC 3261 §9.1: no CANCEL before a provisional response.
		m.cancelled = true
		return m, 0
	case provisional:
		// RFC 3261 §17.1.1.2: nothing is sent again after a 1xx. Nor does Timer B end Proceeding: how long
		// it lasts is the user's (§16.6 step 11, Timer C).
		m.enter(Proceeding, now, never)
		if m.cancelled {
			m.end = now + t.timeout()
			return m, tellResponse | sendCancel
		}
		return m, tellResponse
	}
	return m.inviteFinal(t, now, e)
}

func (m machine) inviteProceeding(t Timers, now moment, e event) (machine, do) {
	switch e {
	case provisional:
		return m, tellResponse
	case userCancel:
		if m.cancelled {
			return m, 0
		}
		// RFC 3261 §9.1: without a final response within 64*T1 of the CANCEL the transaction is over, for an
		// RFC 2543 server sends none.
		m.cancelled = true
		m.end = now + t.timeout()
		return m, sendCancel
	case endFires:
		m.terminate()
		return m, tellTimeout
	}
	return m.inviteFinal(t, now, e)
}

// inviteFinal takes a final response in Calling and in Proceeding.
func (m machine) inviteFinal(t Timers, now moment, e event) (machine, do) {
	switch e {
	case success:
		// RFC 6026 §8.4: Accepted for as long as Timer M; the ACK is the user's.
		m.enter(Accepted, now, t.timeout())
		return m, tellResponse
	case failure:
		// RFC 3261 §17.1.1.2: an ACK, over reliable transports too, and Timer D.
		m.enter(Completed, now, m.unlessReliable(t.d()))
		return m, sendAck | tellResponse
	}
	return m, 0
}

func (m machine) inviteCompleted(e event) (machine, do) {
	switch e {
	case failure:
		// RFC 3261 §17.1.1.2: a final response that comes again is acknowledged again, and not passed up.
		return m, sendAck
	case transportError:
		m.terminate()
		return m, tellError
	case endFires:
		m.terminate()
	}
	return m, 0
}

func (m machine) inviteAccepted(e event) (machine, do) {
	switch e {
	case success:
		// RFC 6026 §8.4: each 2xx is passed up, for it may be of another branch of a fork.
		return m, tellResponse
	case endFires:
		m.terminate()
	}
	return m, 0
}
