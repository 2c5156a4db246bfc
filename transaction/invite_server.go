package transaction

// RFC 3261 §17.2.1: begins in Proceeding. A 100 is sent unless the user answers within 200 ms.
func (m machine) startInviteServer(now moment) machine {
	m.enter(Proceeding, now, never)
	m.again = now + tryingDelay
	return m
}

// inviteServer is a step of figure 7, as RFC 6026 §8.6 draws it.
//
// RFC 6026 §8.8: a transport error is told to the user and changes no state, so that the INVITE is still known
// when it comes again.
func (m machine) inviteServer(t Timers, now moment, e event) (machine, do) {
	switch m.state {
	case Proceeding:
		return m.inviteAnswering(t, now, e)
	case Completed:
		return m.inviteRefused(t, now, e)
	case Confirmed:
		// RFC 3261 §17.2.1: further ACKs are absorbed until Timer I fires.
		if e == endFires {
			m.terminate()
		}
	case Accepted:
		return m.inviteAnswered(e)
	}
	return m, 0
}

func (m machine) inviteAnswering(t Timers, now moment, e event) (machine, do) {
	switch e {
	case userTrying:
		if m.again == never {
			return m, 0
		}
		fallthrough
	case againFires, provisional, retransmission:
		// RFC 3261 §17.2.1: a request that comes again gets the most recent provisional response.
		m.again = never
		return m, sendResponse
	case success:
		// RFC 6026 §7.1: Accepted for as long as Timer L.
		m.enter(Accepted, now, t.timeout())
		return m, sendResponse
	case failure:
		// RFC 3261 §17.2.1: Timer H over all transports, Timer G over unreliable ones.
		m.enter(Completed, now, t.timeout())
		if !m.reliable {
			m.setAgain(now, t.T1)
		}
		return m, sendResponse
	case transportError:
		return m, tellError
	}
	return m, 0
}

func (m machine) inviteRefused(t Timers, now moment, e event) (machine, do) {
	switch e {
	case againFires:
		// RFC 3261 §17.2.1: Timer G doubles each time up to T2.
		if m.setAgain(now, min(2*m.interval, t.T2)); m.once {
			m.again = never
		}
		return m, sendResponse
	case retransmission:
		return m, sendResponse
	case ack:
		// RFC 3261 §17.2.1: Timer I absorbs the ACKs that are on their way.
		m.enter(Confirmed, now, m.unlessReliable(t.T4))
	case endFires:
		// RFC 3261 §17.2.1, Timer H: the ACK never came, which the user is told.
		m.terminate()
		return m, tellTimeout
	case transportError:
		return m, tellError
	}
	return m, 0
}

func (m machine) inviteAnswered(e event) (machine, do) {
	switch e {
	case success:
		// RFC 6026 §7.1: the user sends a 2xx again, or one of another branch; the machine never does.
		return m, sendResponse
	case ack:
		return m, tellAck
	case transportError:
		return m, tellError
	case endFires:
		m.terminate()
	}
	// RFC 6026 §7.1: an INVITE that comes again is absorbed, and not answered.
	return m, 0
}
