package resolve

import (
	"errors"
	"fmt"
)

// Why a look-up has no targets. What [Resolver.Lookup] returns is an [*Error] that wraps one of these, or
// ErrBusy or ErrClosed itself.
var (
	// ErrNoDomain: the name does not exist (NXDOMAIN).
	ErrNoDomain = errors.New("no such domain")
	// ErrNoAddress: the name exists and leads to no address that we could send to.
	ErrNoAddress = errors.New("no address")
	// ErrNotOffered: the domain says by an SRV record with the target "." that it has no SIP.
	ErrNotOffered = errors.New("service not offered")
	// ErrServerFailure: the name servers answered that they failed (SERVFAIL, REFUSED and the like), or
	// what they answered is malformed. It may pass.
	ErrServerFailure = errors.New("name server failure")
	// ErrTimeout: no name server answered in time. It may pass.
	ErrTimeout = errors.New("no answer from a name server")
	// ErrUnsupported: the URI asks for what we do not have: another scheme, transport or address family.
	ErrUnsupported = errors.New("unsupported")
	// ErrBusy: too many look-ups wait already. It may pass.
	ErrBusy = errors.New("resolve: too many look-ups wait for DNS: see whether the name servers answer, or add one")
	// ErrClosed: the resolver has been closed.
	ErrClosed = errors.New("resolve: closed")
)

// Error says what could not be found and what to do about it.
type Error struct {
	Name   string // what was looked up
	Type   string // of the record, "SRV"; empty if none was asked for
	Kind   error  // one of ErrNoDomain ... ErrUnsupported
	Detail string // what happened, and what to do
}

// Error is a sentence for a log.
func (e *Error) Error() string {
	if e.Type == "" {
		return fmt.Sprintf("resolve: %s: %s", e.Name, e.Detail)
	}
	return fmt.Sprintf("resolve: %s %s: %s", e.Name, e.Type, e.Detail)
}

// Unwrap is the kind, for errors.Is.
func (e *Error) Unwrap() error { return e.Kind }

// Temporary reports whether the same look-up may succeed soon: a caller that answers a request says 503,
// not 404.
func (e *Error) Temporary() bool { return e.Kind == ErrTimeout || e.Kind == ErrServerFailure }

// graver returns which of two errors tells more about why there is no target: what may pass first, since
// the rest is then not known; then what the domain says itself.
func graver(a, b *Error) *Error {
	if a == nil || b != nil && b.rank() > a.rank() {
		return b
	}
	return a
}

func (e *Error) rank() int {
	switch {
	case e.Temporary():
		return 2
	case e.Kind == ErrNotOffered:
		return 1
	}
	return 0
}
