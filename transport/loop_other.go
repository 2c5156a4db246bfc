//go:build !linux

package transport

import (
	"net"
	"time"
)

// loop does not exist here: each connection is read by a goroutine of its own.
type loop struct{}

type watched struct{ fd int }

type interest uint32

const nothing, atOnce interest = 0, 0

func (t *Transport) newLoops() []*loop { return nil }

func (*loop) serve()                        {}
func (*loop) stop()                         {}
func (*loop) take(*conn) bool               { return false }
func (*loop) out(*conn) *Out                { return nil }
func (*loop) arm(*conn, time.Duration)      {}
func (*loop) watch(*conn, interest)         {}
func (*watched) cut()                       {}
func (*watched) close()                     {}
func (*watched) waiting() (net.Conn, error) { return nil, net.ErrClosed }
