package transport

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// ClientAuth is whether a TLS peer that connects to us shows a certificate.
type ClientAuth uint8

// The zero ClientAuth asks for none.
const (
	NoClientCertificate      ClientAuth = iota
	RequestClientCertificate            // asked for; one that is shown must verify
	RequireClientCertificate            // no connection without one that verifies
)

// TLSConfig is how TLS peers are met. TLS 1.2 is the least, with Go's choice of ciphers.
type TLSConfig struct {
	Certificates []tls.Certificate // by the names in them; the first one for every other name
	ClientAuth   ClientAuth
	ClientCAs    *x509.CertPool // who may sign client certificates; nil: the system's
	RootCAs      *x509.CertPool // who may sign the certificates of servers that we connect to; nil: the system's
	MinVersion   uint16         // as crypto/tls numbers them; 0, or less than it: TLS 1.2
}

// LoadCertificate reads a certificate chain and its key from PEM files.
func LoadCertificate(certFile, keyFile string) (tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		if strings.Contains(err.Error(), "private key does not match") {
			err = errors.New("the key is not that of the certificate")
		}
		return c, fmt.Errorf("certificate %s with key %s: %w", certFile, keyFile, err)
	}
	return c, nil
}

// certificates holds the TLS configuration of now. A handshake takes it as it is when it begins; what was
// replaced is garbage when the last such handshake has ended.
type certificates struct {
	mu    sync.Mutex // one change at a time
	now   atomic.Pointer[tls.Config]
	outer atomic.Pointer[tls.Config] // lives on, and with it the keys of session tickets
	ours  atomic.Pointer[clientSide]
}

// clientSide is how we meet those that we connect to.
type clientSide struct {
	TLSConfig
	sessions tls.ClientSessionCache
}

// server returns the configuration for one connection.
func (c *certificates) server() *tls.Config { return c.outer.Load() }

// client returns the configuration for one connection to a server of a domain.
func (c *certificates) client(domain string) *tls.Config {
	ours := c.ours.Load()
	cfg := ClientTLS(domain, ours.RootCAs, ours.Certificates...)
	cfg.MinVersion = max(cfg.MinVersion, ours.MinVersion)
	cfg.ClientSessionCache = ours.sessions // what a session was begun with is verified again
	return cfg
}

// set makes cfg the one of now.
func (c *certificates) set(cfg TLSConfig) error {
	cfg.Certificates = slices.Clone(cfg.Certificates) // check completes them
	byName := map[string]*tls.Certificate{}
	for i := range cfg.Certificates {
		cert := &cfg.Certificates[i]
		if err := check(cert); err != nil {
			return err
		}
		for _, name := range append(Identities(cert.Leaf), cert.Leaf.DNSNames...) {
			// RFC 5922 §7.2: whole names only, so that a wildcard is no name of ours.
			if name = strings.ToLower(name); byName[name] == nil && !strings.Contains(name, "*") {
				byName[name] = cert
			}
		}
	}
	now := cfg.server(byName)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Store(now)
	c.ours.Store(&clientSide{cfg, tls.NewLRUClientSessionCache(clientSessions)})
	if c.outer.Load() == nil {
		c.outer.Store(&tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil },
		})
	}
	return nil
}

// server is cfg as crypto/tls has it; byName are its certificates by the names that they are for.
func (cfg TLSConfig) server(byName map[string]*tls.Certificate) *tls.Config {
	now := &tls.Config{
		MinVersion: max(cfg.MinVersion, tls.VersionTLS12),
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if cert := byName[strings.ToLower(hello.ServerName)]; cert != nil {
				return cert, nil
			}
			if len(cfg.Certificates) == 0 {
				return nil, errors.New("transport: no certificate")
			}
			return &cfg.Certificates[0], nil
		},
	}
	switch cfg.ClientAuth {
	case RequestClientCertificate:
		now.ClientAuth = tls.RequestClientCert
	case RequireClientCertificate:
		now.ClientAuth = tls.RequireAnyClientCert
	}
	if cfg.ClientAuth != NoClientCertificate {
		now.ClientCAs = cfg.ClientCAs // tells the client whose certificates are of use
		now.VerifyConnection = func(s tls.ConnectionState) error {
			// SIP servers are clients of each other, and public CAs certify servers only: both ends of TLS will do.
			return Verify(s.PeerCertificates, cfg.ClientCAs, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)
		}
	}
	return now
}

// check makes sure that a certificate has a leaf, and a key that is the leaf's.
func check(cert *tls.Certificate) error {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return errors.New("transport: a certificate is missing, or its key")
	}
	if cert.Leaf == nil {
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			return fmt.Errorf("transport: a certificate cannot be read: %w", err)
		}
		cert.Leaf = leaf
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	public, canCompare := cert.Leaf.PublicKey.(interface{ Equal(x crypto.PublicKey) bool })
	if !ok || !canCompare || !public.Equal(key.Public()) {
		return fmt.Errorf("transport: the key of the certificate for %v is not its own", Identities(cert.Leaf))
	}
	return nil
}
