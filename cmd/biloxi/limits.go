package main

import "time"

const (
	// maxPassword is the largest password file, in bytes: no password is longer.
	maxPassword = 4 << 10

	// maxTraced is how many messages a trace keeps: more is a flood, which nobody reads.
	maxTraced = 500

	// notifyTimeout is how long a service manager may take to read: one that is stuck must not hold up the
	// server.
	notifyTimeout = 100 * time.Millisecond

	// progressEvery is how often the count of an import is written over: as often as can be read.
	progressEvery = 100 * time.Millisecond
)
