package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"

	"biloxi/sip"
)

// Errors of Send.
var (
	ErrGone   = errors.New("transport: the connection has closed and none can be opened to its peer")
	ErrFull   = errors.New("transport: too much waits for the peer")
	ErrClosed = errors.New("transport: shut down")
	ErrFlow   = errors.New("transport: no socket of ours has the flow's address")
)

// Transport owns the sockets.
type Transport struct {
	cfg     Config
	handler Handler
}

// New checks cfg and returns a Transport that gives what comes to h. It starts nothing.
func New(cfg Config, h Handler) (*Transport, error) {
	cfg.Limits = cfg.Limits.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Transport{cfg: cfg, handler: h}, nil
}

// Listen binds all listeners, or none and says why.
func (t *Transport) Listen() error { return errors.New("transport: not yet") }

// Serve reads from all sockets until Shutdown has ended; it then returns nil.
func (t *Transport) Serve() error { return errors.New("transport: not yet") }

// Stop stops accepting and reading, and returns when no Receive runs any more. Send and Flush still work.
func (t *Transport) Stop() {}

// Shutdown does Stop, lets what waits leave, closes all, and returns when nothing of it runs any more. When
// ctx ends first, what waits is dropped and ctx's error returned.
func (t *Transport) Shutdown(ctx context.Context) error { return nil }

// Send sends the message b, which it copies, along flow: an answer that was not ready when Receive
// returned. It can be called from any goroutine and does not wait for the peer.
//
// Over UDP it goes to `to` from the flow's local address, at the next Flush. On a stream it goes down the
// flow's connection. If that has closed, a new one is opened to `to` (RFC 3261 §18.2.2), for TCP only.
func (t *Transport) Send(flow sip.Flow, to netip.AddrPort, b []byte) error { return ErrGone }

// Flush lets the datagrams of earlier Sends leave, in as few writes as can be.
func (t *Transport) Flush() {}

// SetCertificates replaces the certificates, for handshakes from now on; connections stay as they are. All
// or, with an error, nothing is replaced.
func (t *Transport) SetCertificates(certs []tls.Certificate) error { return nil }

// Addrs returns what is bound, in the order of the listeners: Transport and Local of each.
func (t *Transport) Addrs() []sip.Flow { return nil }

// Stats returns all counts.
func (t *Transport) Stats() Stats { return nil }
