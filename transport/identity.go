package transport

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Identities returns the SIP domains that a certificate speaks for, in lower case (RFC 5922 §7.1).
func Identities(cert *x509.Certificate) []string {
	var names []string
	for _, u := range cert.URIs {
		// RFC 5922 §7.1 step 1, URI: of the scheme sip, and without a user, who would be no domain.
		host, isSIP := sipHost(u.String())
		if isSIP && !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	if len(names) > 0 {
		return names
	}
	// RFC 5922 §7.1 step 1, DNS: only if no URI told a domain. Step 2, the common name, is left out, as it
	// may be.
	for _, name := range cert.DNSNames {
		names = append(names, strings.ToLower(name))
	}
	return names
}

// sipHost returns the host of a sip URI without a user.
func sipHost(uri string) (host string, ok bool) {
	scheme, rest, _ := strings.Cut(uri, ":")
	if !strings.EqualFold(scheme, "sip") || strings.Contains(rest, "@") {
		return "", false
	}
	if i := strings.IndexAny(rest, ";?:"); i >= 0 && !strings.HasPrefix(rest, "[") {
		rest = rest[:i]
	}
	return strings.ToLower(rest), rest != ""
}

// SpeaksFor reports whether a certificate, which has been verified, is that of a SIP domain: whole names,
// in any case, and no wildcard (RFC 5922 §7.2). For an IP address it is the certificate's list of those
// that counts, of which RFC 5922 says nothing.
func SpeaksFor(cert *x509.Certificate, domain string) bool {
	if ip, err := netip.ParseAddr(strings.Trim(domain, "[]")); err == nil {
		return slices.ContainsFunc(cert.IPAddresses, func(b net.IP) bool {
			a, ok := netip.AddrFromSlice(b)
			return ok && a.Unmap() == ip.Unmap()
		})
	}
	return slices.Contains(Identities(cert), strings.ToLower(strings.TrimSuffix(domain, ".")))
}

// ClientTLS is how a client meets the server of a SIP domain over TLS: a certificate that roots (nil: the
// system's) vouch for, whose use is not restricted to something else, and which is that of the domain
// (RFC 5922 §7.3). certs is what the client shows if it is asked.
func ClientTLS(domain string, roots *x509.CertPool, certs ...tls.Certificate) *tls.Config {
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		Certificates:       certs,
		InsecureSkipVerify: true, // Go's rules are those of HTTPS, wildcards and all: VerifyConnection has SIP's
		VerifyConnection: func(s tls.ConnectionState) error {
			if err := Verify(s.PeerCertificates, roots, x509.ExtKeyUsageServerAuth); err != nil {
				return err
			}
			if !SpeaksFor(s.PeerCertificates[0], domain) {
				return fmt.Errorf("transport: the server's certificate is for %v, not for %s", Identities(s.PeerCertificates[0]), domain)
			}
			return nil
		},
	}
	if _, err := netip.ParseAddr(strings.Trim(domain, "[]")); err != nil {
		cfg.ServerName = domain
	}
	return cfg
}

// Verify checks that roots (nil: the system's) vouch for a peer's chain, its own certificate first, and that
// its use is not restricted to something else than SIP and the usages (RFC 5922 §7.1). Whose it is, [SpeaksFor]
// tells. No chain is no error: whether one must be shown is settled before.
func Verify(chain []*x509.Certificate, roots *x509.CertPool, usages ...x509.ExtKeyUsage) error {
	if len(chain) == 0 {
		return nil
	}
	opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(opts); err != nil {
		return err
	}
	if !usable(chain[0], usages) {
		return errors.New("the certificate's extended key usage does not allow this use")
	}
	return nil
}

// sipDomain is id-kp-sipDomain (RFC 5924 §3).
var sipDomain = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}

// usable checks the extended key usage (RFC 5922 §7.1): none, any, SIP's own, or one of those given.
func usable(cert *x509.Certificate, usages []x509.ExtKeyUsage) bool {
	if len(cert.ExtKeyUsage) == 0 && len(cert.UnknownExtKeyUsage) == 0 {
		return true
	}
	for _, u := range cert.ExtKeyUsage {
		if u == x509.ExtKeyUsageAny || slices.Contains(usages, u) {
			return true
		}
	}
	return slices.ContainsFunc(cert.UnknownExtKeyUsage, sipDomain.Equal)
}
