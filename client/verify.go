package client

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"strings"
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

var (
	errNoCertificate = errors.New("the server has none")
	errUsage         = errors.New("it is not meant for a SIP server")
)

// sipDomainUsage is the extended key usage id-kp-sipDomain (RFC 5924 §4).
var sipDomainUsage = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}

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
					e.Identities = identities(state.PeerCertificates[0])
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
	leaf := state.PeerCertificates[0]
	opts := x509.VerifyOptions{
		Roots:         c.cfg.Roots,
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // checked below, with SIP's own
	}
	for _, cert := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	// RFC 5922 §7.1: the rules for all certificates first, usage among them.
	if _, err := leaf.Verify(opts); err != nil {
		return err
	}
	if !mayServe(leaf) {
		return errUsage
	}
	if ip.IsValid() {
		for _, san := range leaf.IPAddresses {
			if a, ok := netip.AddrFromSlice(san); ok && a.Unmap() == ip.Unmap() {
				return nil
			}
		}
	}
	return matchIdentity(leaf, name, ip)
}

func matchIdentity(leaf *x509.Certificate, name string, ip netip.Addr) error {
	found := identities(leaf)
	for _, id := range found {
		if sameDomain(id, name) {
			return nil
		}
	}
	wanted := name
	if ip.IsValid() && name != ip.String() {
		wanted = ip.String() + " or " + name
	} else if ip.IsValid() {
		wanted = ip.String()
	}
	if len(found) == 0 {
		return fmt.Errorf("it is for no SIP domain, and %s was asked for", wanted)
	}
	return fmt.Errorf("it is for %s, and not for %s", printable(strings.Join(found, ", ")), wanted)
}

// identities returns the SIP domains that a certificate is for (RFC 5922 §7.1): the hosts of its SIP URIs
// without a user, and only if it has none its DNS names. The common name is not looked at.
func identities(leaf *x509.Certificate) []string {
	var ids []string
	for _, u := range leaf.URIs {
		if !strings.EqualFold(u.Scheme, "sip") {
			continue
		}
		host := u.Opaque
		if host == "" {
			host = u.Host
		}
		if u.User != nil || strings.Contains(host, "@") {
			continue
		}
		// RFC 5922 §7.2: no port and no parameters take part.
		if end := strings.IndexAny(host, ":;?"); end >= 0 {
			host = host[:end]
		}
		if host != "" {
			ids = append(ids, host)
		}
	}
	if len(ids) == 0 {
		ids = append(ids, leaf.DNSNames...)
	}
	return ids
}

// sameDomain compares two names whole and without their case (RFC 5922 §7.2). A wildcard is a name like
// any other, which nobody asks for.
func sameDomain(a, b string) bool {
	a, b = strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	return a != "" && !strings.Contains(a, "*") && strings.EqualFold(a, b)
}

// mayServe reads the extended key usage: none, any, that of a TLS server or of a SIP domain (RFC 5924).
func mayServe(leaf *x509.Certificate) bool {
	if len(leaf.ExtKeyUsage) == 0 && len(leaf.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, usage := range leaf.ExtKeyUsage {
		if usage == x509.ExtKeyUsageAny || usage == x509.ExtKeyUsageServerAuth {
			return true
		}
	}
	for _, usage := range leaf.UnknownExtKeyUsage {
		if usage.Equal(sipDomainUsage) {
			return true
		}
	}
	return false
}
