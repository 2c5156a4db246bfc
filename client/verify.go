package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"biloxi/transport"
)

// CertificateError says why a server's certificate is not taken. Nothing was sent to it.
type CertificateError struct {
	Server     string   // where the certificate came from
	Identities []string // SIP domains that the certificate is for
	Err        error    // *x509 errors for one that is not trusted or out of date
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("the certificate of %s is not taken: %v", e.Server, e.Err)
}

func (e *CertificateError) Unwrap() error { return e.Err }

var errNoCertificate = errors.New("the server has none")

// tlsConfig makes the configuration for one server. A name is verified as RFC 5922 says, which crypto/tls
// does not know: it takes wildcards and no SIP URIs. So its own verification is off, and ours is run in
// its place, on resumed handshakes too.
func (c *Client) tlsConfig(s Server, identity string) *tls.Config {
	name := s.Host
	var ip netip.Addr
	if addr, ok := s.addr(); ok {
		ip, name = addr, identity
	}
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		Certificates:       c.cfg.Certificates,
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(state tls.ConnectionState) error {
			if err := c.verify(state, name, ip); err != nil {
				e := &CertificateError{Server: s.String(), Err: err}
				if len(state.PeerCertificates) > 0 {
					e.Identities = transport.Identities(state.PeerCertificates[0])
				}
				return e
			}
			return nil
		},
	}
	if _, err := netip.ParseAddr(name); err != nil {
		cfg.ServerName = name
	}
	return cfg
}

// verify takes a certificate chain for the domain name, or for the address ip if that is what the user
// gave; then the domain that the request is for will do as well, since who has its certificate speaks
// for it.
func (c *Client) verify(state tls.ConnectionState, name string, ip netip.Addr) error {
	if len(state.PeerCertificates) == 0 {
		return errNoCertificate
	}
	// RFC 5922 §7.1: the rules for all certificates first, usage among them.
	if err := transport.Verify(state.PeerCertificates, c.cfg.Roots, x509.ExtKeyUsageServerAuth); err != nil {
		return err
	}
	leaf := state.PeerCertificates[0]
	if ip.IsValid() && transport.SpeaksFor(leaf, ip.String()) {
		return nil
	}
	return matchIdentity(leaf, name, ip)
}

func matchIdentity(leaf *x509.Certificate, name string, ip netip.Addr) error {
	if transport.SpeaksFor(leaf, name) {
		return nil
	}
	wanted := name
	if ip.IsValid() && name != ip.String() {
		wanted = ip.String() + " or " + name
	} else if ip.IsValid() {
		wanted = ip.String()
	}
	found := transport.Identities(leaf)
	if len(found) == 0 {
		return fmt.Errorf("it is for no SIP domain, and %s was asked for", wanted)
	}
	return fmt.Errorf("it is for %s, and not for %s", printable(strings.Join(found, ", ")), wanted)
}
