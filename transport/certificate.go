package transport

import (
	"crypto/tls"
	"crypto/x509"
)

// ClientAuth is whether a TLS peer that connects to us shows a certificate.
type ClientAuth uint8

// The zero ClientAuth asks for none.
const (
	NoClientCertificate      ClientAuth = iota
	RequestClientCertificate            // asked for; one that is shown must verify
	RequireClientCertificate            // no connection without one that verifies
)

// TLSConfig is how TLS peers are met.
type TLSConfig struct {
	Certificates []tls.Certificate // by the names in them; the first one for every other name
	ClientAuth   ClientAuth
	ClientCAs    *x509.CertPool // who may sign client certificates; nil: the system's
}
