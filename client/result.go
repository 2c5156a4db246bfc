package client

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"biloxi/sip"
)

// The causes for which a challenge is not answered, of Result.Cause.
var (
	ErrNoPassword    = errors.New("the server asks for a password")
	ErrWrongPassword = errors.New("the server does not take the username and password")
	ErrChallenge     = errors.New("the server offers no way to authenticate that is known here")
	ErrStale         = errors.New("the server calls every nonce stale")
	ErrTooMany       = errors.New("the server asks again and again")
)

// Result is the final response to a request, with what was learnt on the way. It owns its bytes.
type Result struct {
	Status int    // of the final response
	Reason string // its reason phrase, as sent
	// Contacts are the bindings in a 2xx to REGISTER, and where else to ask in a 3xx.
	Contacts []Contact

	Server     string        // of the Server header field; empty if there is none
	Allow      []string      // methods, of the Allow header field
	Supported  []string      // option tags, of the Supported header field
	Accept     string        // body types, of the Accept header field
	RetryAfter time.Duration // of a refusal that says so, 0 if it does not
	MinExpires time.Duration // of a 423: the shortest expiry that the server takes; kept when a later answer is good

	Transport       sip.Transport
	Local, Remote   netip.AddrPort // of the connection or socket
	Seen            netip.AddrPort // where the server saw the request come from: received and rport; not valid if it did not say
	Requests        int            // sent, retransmissions not counted
	Retransmissions int
	Ignored         int  // messages that came and were no answer to the request
	Authenticated   bool // the last request had credentials

	Cause   error  // why the client did not go on: one of those above, or an answer that cannot be read; nil if there is nothing to say
	Message []byte // the final response as it came
}

// OK reports whether the server has done what was asked (2xx) and its answer could be read.
func (r *Result) OK() bool { return r.Status >= 200 && r.Status < 300 && r.Cause == nil }

// Err is nil if OK, else a *RefusedError.
func (r *Result) Err() error {
	if r.OK() {
		return nil
	}
	return &RefusedError{Status: r.Status, Reason: r.Reason, RetryAfter: r.RetryAfter, Cause: r.Cause}
}

// RefusedError is an answer that is not a 2xx, or one that is of no use.
type RefusedError struct {
	Status     int
	Reason     string
	RetryAfter time.Duration
	Cause      error
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("the server answered %d %s", e.Status, printable(e.Reason))
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(" (try again after %v)", e.RetryAfter)
	}
	return s
}

func (e *RefusedError) Unwrap() error { return e.Cause }

// read fills the result from the final response.
func (r *Result) read(m *sip.Message) {
	r.Status, r.Reason = m.StatusCode(), string(m.Reason())
	r.Message = append([]byte(nil), m.Bytes()...)
	if v, ok := m.Value(sip.HeaderServer); ok {
		r.Server = string(v)
	}
	if v, ok := m.Value(sip.HeaderAccept); ok {
		r.Accept = string(v)
	}
	r.Allow = tokens(m, sip.HeaderAllow)
	r.Supported = tokens(m, sip.HeaderSupported)
	if v, ok := m.Value(sip.HeaderRetryAfter); ok {
		r.RetryAfter = leadingSeconds(v)
	}
	if v, ok := m.Value(sip.HeaderMinExpires); ok {
		r.MinExpires = leadingSeconds(v)
	}
	if via, err := m.Via(); err == nil {
		r.Seen = seen(via)
	}
	r.readContacts(m)
}

func (r *Result) readContacts(m *sip.Message) {
	if r.Status >= 400 {
		return
	}
	var whole time.Duration
	var hasWhole bool
	if v, ok := m.Value(sip.HeaderExpires); ok {
		if seconds, ok := sip.ParseDeltaSeconds(v); ok {
			whole, hasWhole = sip.Seconds(seconds), true
		}
	}
	values := m.Values(sip.HeaderContact)
	for values.Next() {
		c, err := contactOf(values.NameAddr)
		if err != nil && r.Cause == nil {
			r.Cause = err
		}
		if !c.HasExpires && hasWhole {
			c.Expires, c.HasExpires = whole, true
		}
		r.Contacts = append(r.Contacts, c)
	}
	if err := values.Err(); err != nil && r.Cause == nil {
		r.Cause = fmt.Errorf("its contact list cannot be read: %w", err)
	}
}

// seen is what received and rport of our Via say (RFC 3261 §18.2.1, RFC 3581 §4).
func seen(via sip.Via) netip.AddrPort {
	host := via.Host
	if v, ok := via.Params.Value("received"); ok {
		host = v
	}
	addr, err := netip.ParseAddr(strings.Trim(string(host), "[]"))
	if err != nil {
		return netip.AddrPort{}
	}
	port := via.Port
	if v, _ := via.Params.Value("rport"); v != nil {
		n, ok := sip.ParseDeltaSeconds(v)
		if !ok || n == 0 || n > 65535 {
			return netip.AddrPort{}
		}
		port = uint16(n)
	}
	return netip.AddrPortFrom(addr.Unmap(), port)
}

func tokens(m *sip.Message, h sip.Header) (list []string) {
	all := m.Tokens(h)
	for t := all.Next(); t != nil; t = all.Next() {
		list = append(list, string(t))
	}
	return list
}

// leadingSeconds reads the delta-seconds that begin a value (RFC 3261 §20.33: a comment may follow).
func leadingSeconds(v []byte) time.Duration {
	end := 0
	for end < len(v) && v[end] >= '0' && v[end] <= '9' {
		end++
	}
	seconds, _ := sip.ParseDeltaSeconds(v[:end])
	return sip.Seconds(seconds)
}
