package transport

// A connection takes a file descriptor, and a second one while its peer does not read what waits for it. The process
// needs some for other things: administration, the journal and its snapshots, the database, name servers, a reload. So
// connections have what is left beside a reserve, whatever MaxConns says; a journal that cannot be opened for want of
// descriptors would take the registrations with it.

// fit makes the limits fit into n file descriptors, and returns how many waiting connections may take a second one; 0
// descriptors are as many as are wanted.
func (l *Limits) fit(n int) (second int) {
	if n <= 0 {
		return l.MaxConns
	}
	left := n - min(reservedDescriptors, n/2)
	second = max(1, left/secondShare)
	l.MaxConns = max(1, min(l.MaxConns, left-second))
	return max(second, left-l.MaxConns)
}

// wantedDescriptors is how many a process needs for so many connections.
func wantedDescriptors(conns int) int {
	return conns + conns/(secondShare-1) + 1 + reservedDescriptors
}

// warnOfDescriptors says that there are not enough, and what to do.
func (t *Transport) warnOfDescriptors() {
	if wanted := t.wantedConns; wanted > t.cfg.Limits.MaxConns {
		t.log.Warn("the system allows too few file descriptors for so many connections: raise its limit (LimitNOFILE in a systemd unit, ulimit -n), or lower connections",
			"descriptors", t.descriptors, "needed", wantedDescriptors(wanted), "connections", wanted, "allowed", t.cfg.Limits.MaxConns)
	}
}

// takeSecond takes a second descriptor for a connection whose peer does not read, and reports whether there was one.
func (t *Transport) takeSecond() bool {
	if t.seconds.Add(1) > int64(t.mostSeconds) {
		t.seconds.Add(-1)
		return false
	}
	return true
}

func (t *Transport) giveSecond() { t.seconds.Add(-1) }

// shed has the oldest of the strangers' connections give way, since the system has no descriptor for a new one.
func (t *Transport) shed() {
	for range shedAtOnce {
		if out := t.admission.shed(); out != nil {
			out.cut(closedGaveWay)
		}
	}
}
