package bench

import (
	"errors"
	"net/netip"
	"time"
)

// wire is a socket or connection to the server, for one goroutine.
type wire interface {
	// receive waits for messages, not longer than to the time; how many came may be 0. They are good
	// until the next call. When one has come it may wait for the time to gather, for more to come.
	receive(until time.Time, gather time.Duration) (n int, err error)

	// message is the i-th that came.
	message(i int) []byte

	// send takes a message to be sent with the next flush; it must stay as it is until then.
	send(b []byte)

	// flush sends all.
	flush() error

	local() netip.AddrPort
	close()
}

// errRefused is what the system tells of a datagram that nobody listened for.
var errRefused = errors.New("connection refused: nobody listens there")
