package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"biloxi/config"
	"biloxi/transport"
)

// CheckTLS reads the certificates that a configuration names, as a server does at its start, and says what is
// wrong with them.
func CheckTLS(c config.TLS) error {
	_, err := loadTLS(c)
	return err
}

// loadTLS reads the certificates that the configuration names. No certificate at all is no error: the
// transport refuses a TLS listener without one.
func loadTLS(c config.TLS) (t transport.TLSConfig, err error) {
	if c.Certificate != "" {
		if t.Certificates, err = appendCertificate(t.Certificates, c.Certificate, c.Key); err != nil {
			return t, err
		}
	}
	for _, one := range c.SNI {
		if t.Certificates, err = appendCertificate(t.Certificates, one.Certificate, one.Key); err != nil {
			return t, err
		}
	}
	if c.MinVersion == config.TLS13 {
		t.MinVersion = tls.VersionTLS13
	}
	switch c.ClientCertificates {
	case config.ClientCertsRequest:
		t.ClientAuth = transport.RequestClientCertificate
	case config.ClientCertsRequire:
		t.ClientAuth = transport.RequireClientCertificate
	}
	if t.ClientCAs, err = loadCAs("client_ca", c.ClientCA); err != nil {
		return t, err
	}
	t.RootCAs, err = loadCAs("ca", c.CA)
	return t, err
}

// loadCAs reads who may sign certificates; nil, the system's, without a file.
func loadCAs(key, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls: %s: %w", key, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls: %s: %s holds no certificate", key, file)
	}
	return pool, nil
}

func appendCertificate(list []tls.Certificate, certificate, key string) ([]tls.Certificate, error) {
	one, err := transport.LoadCertificate(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return append(list, one), nil
}
