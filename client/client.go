package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"biloxi/sip"
	"biloxi/transaction"
)

// Config says for whom a Client speaks, and to which server.
type Config struct {
	// AOR is the address of record: sip:bob@biloxi.example.com. It may be empty for OPTIONS, which is then
	// sent by nobody (RFC 3261 §8.1.1.3, the anonymous From).
	AOR string
	// Server is where every request goes, as ParseServer reads it. Empty: the domain of the AOR, or of the
	// URI of OPTIONS, looked up by A and AAAA.
	Server string
	// Username is that of the credentials. Empty: the user of the AOR.
	Username string
	// Password is that of the credentials. Nil: challenges are not answered. It is never in a trace or an
	// error.
	Password []byte
	// Roots are the authorities whose certificates are taken. Nil: those of the system.
	Roots *x509.CertPool
	// Certificates are the client's own, if the server asks for one.
	Certificates []tls.Certificate
	// UserAgent is the header field's value. Empty: "biloxi".
	UserAgent string
	// Trace is called for every message that goes or comes, on the goroutine of the call. Nil: nothing.
	Trace func(Traced)
	// Timers are T1 and T2. Zero: the RFC's.
	Timers Timers
	// Lookup finds the addresses of a host name. Nil: the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial opens a connection to "udp" or "tcp" addresses; TLS is run over it. Nil: a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is one user agent client. All its REGISTERs have one Call-ID and a CSeq that rises (RFC 3261
// §10.2), and a nonce is used again until the server wants another. It is for one goroutine at a time,
// which owns all of it; a context that ends is the one thing that reaches in, by the connection's deadline.
type Client struct {
	cfg     Config
	timers  Timers
	aor     sip.URI // zero if there is none
	server  Server  // zero: of the URI
	callID  string
	fromTag string
	cseq    uint32
	logins  logins
	line    *line
	layer   *transaction.Layer
	conn    *conn
}

// New checks the configuration. It opens nothing.
func New(cfg Config) (*Client, error) {
	c := &Client{cfg: cfg, timers: cfg.Timers.orDefault(),
		logins: logins{username: []byte(cfg.Username), password: cfg.Password}}
	if cfg.UserAgent == "" {
		c.cfg.UserAgent = "biloxi"
	}
	if hasControl(cfg.UserAgent) {
		return nil, fmt.Errorf("user agent: %w", errControl)
	}
	if cfg.AOR != "" {
		aor, err := parseAOR(cfg.AOR)
		if err != nil {
			return nil, err
		}
		c.aor = aor
		if cfg.Username == "" {
			c.logins.username = sip.AppendUnescaped(nil, aor.User)
		}
	}
	if hasControl(string(c.logins.username)) {
		return nil, fmt.Errorf("username: %w", errControl)
	}
	if cfg.Server != "" {
		s, err := ParseServer(cfg.Server)
		if err != nil {
			return nil, err
		}
		c.server = s
	}
	c.callID, c.fromTag = random(), random()
	c.line = &line{}
	c.layer = transaction.New(transaction.Config{Timers: transaction.Timers{T1: c.timers.T1, T2: c.timers.T2}}, time.Now(), c.line, c.line)
	if c.cfg.Lookup == nil {
		c.cfg.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.cfg.Dial == nil {
		d := &net.Dialer{Timeout: connectTimeout}
		c.cfg.Dial = d.DialContext
	}
	return c, nil
}

// parseAOR reads an address of record (RFC 3261 §10.2, To).
func parseAOR(s string) (sip.URI, error) {
	u, err := parseURI(s)
	switch {
	case err != nil:
		return u, fmt.Errorf("address of record: %w", err)
	case !u.IsSIP():
		return u, errors.New("address of record: it must be sip:user@domain or sips:user@domain")
	case u.Password != nil:
		return u, errors.New("address of record: a password does not belong there")
	case len(u.User) == 0:
		return u, errors.New("address of record: it has no user before the @")
	case u.Headers != nil:
		return u, errors.New("address of record: header fields behind a ? do not belong there")
	}
	return u, nil
}

// Close closes the connection, if there is one. The Client is of no use afterwards.
func (c *Client) Close() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}

// Registration is what Register asks for.
type Registration struct {
	Contacts []Contact
	// Expires is the Expires header field, in whole seconds, if HasExpires; else the server chooses for
	// contacts that have none of their own.
	Expires    time.Duration
	HasExpires bool
}

// Register adds or refreshes bindings (RFC 3261 §10.2.1). On 423 it asks once more with what the server
// takes at least (§10.2.8). Any final response is a Result; an error means that there was none.
func (c *Client) Register(ctx context.Context, reg Registration) (Result, error) {
	if len(reg.Contacts) == 0 {
		return Result{}, errors.New("nothing to register: no contact")
	}
	r, err := c.newRegister()
	if err != nil {
		return Result{}, err
	}
	r.contacts = append(r.contacts, reg.Contacts...)
	r.expires, r.hasExpires = reg.Expires, reg.HasExpires
	return c.call(ctx, r)
}

// Query asks for the bindings and changes none (RFC 3261 §10.2.3).
func (c *Client) Query(ctx context.Context) (Result, error) {
	r, err := c.newRegister()
	if err != nil {
		return Result{}, err
	}
	return c.call(ctx, r)
}

// Unregister removes bindings (RFC 3261 §10.2.2): those of the contact URIs, or without any all that the
// address of record has.
func (c *Client) Unregister(ctx context.Context, contacts ...Contact) (Result, error) {
	r, err := c.newRegister()
	if err != nil {
		return Result{}, err
	}
	if len(contacts) == 0 {
		r.star, r.hasExpires = true, true
	}
	for _, contact := range contacts {
		r.contacts = append(r.contacts, Contact{URI: contact.URI, HasExpires: true, Params: contact.Params})
	}
	return c.call(ctx, r)
}

// Options asks what the UA or server at uri can do (RFC 3261 §11.1).
func (c *Client) Options(ctx context.Context, uri string) (Result, error) {
	u, err := parseURI(uri)
	if err != nil {
		return Result{}, err
	}
	if !u.IsSIP() {
		return Result{}, errors.New("OPTIONS goes to a sip or sips URI only")
	}
	r, err := c.newOptions(u)
	if err != nil {
		return Result{}, err
	}
	return c.call(ctx, r)
}

// random is an identifier that nobody guesses and nobody else makes: 64 bits in hex digits (RFC 3261
// §19.3 asks for 32 at least).
func random() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
