package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"path/filepath"
	"time"
)

// How long the demonstration's certificates are good, and how long before their end they are renewed.
const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	caRenewal    = 365 * 24 * time.Hour // as long as a certificate that it still signs
	certLifetime = 365 * 24 * time.Hour
	certRenewal  = 30 * 24 * time.Hour
	clockSkew    = time.Hour // a client's clock may be behind
)

// sipDomain is the extended key usage of a SIP server's certificate (RFC 5924 §4).
var sipDomain = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 20}

// authority is a CA with its key.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// ensureCertificate makes the CA and the server's certificate in the data folder, if they are not there,
// do not fit each other, or are near their end.
func ensureCertificate(data string, now time.Time) error {
	ca, fresh, err := ensureAuthority(data, now)
	if err != nil {
		return err
	}
	if !fresh && certificateIsGood(data, ca, now) {
		return nil
	}
	uris := make([]*url.URL, len(demoHosts))
	for i, host := range demoHosts {
		// RFC 5922 §7.1: a SIP identity is a URI of the domain alone; where there is one, names do not
		// count, so each name has its own.
		uris[i] = &url.URL{Scheme: "sip", Opaque: host}
	}
	template := &x509.Certificate{
		Subject:            pkix.Name{CommonName: demoDomain},
		NotBefore:          now.Add(-clockSkew),
		NotAfter:           now.Add(certLifetime),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{sipDomain},
		DNSNames:           demoHosts,
		IPAddresses:        []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		URIs:               uris,
	}
	_, err = issue(data, demoCert, demoKey, template, &ca)
	return err
}

// ensureAuthority returns the CA in the data folder, and whether it was made now.
func ensureAuthority(data string, now time.Time) (ca authority, fresh bool, err error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(data, demoCA), filepath.Join(data, demoCAKey))
	if err == nil && pair.Leaf.IsCA && now.Add(caRenewal).Before(pair.Leaf.NotAfter) && now.After(pair.Leaf.NotBefore) {
		return authority{pair.Leaf, pair.PrivateKey.(crypto.Signer)}, false, nil
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Biloxi demonstration CA"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(caLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
	}
	ca, err = issue(data, demoCA, demoCAKey, template, nil)
	return ca, true, err
}

// issue makes a key, signs its certificate, with itself if there is no CA, and writes both.
func issue(data, certFile, keyFile string, template *x509.Certificate, ca *authority) (made authority, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return made, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return made, err
	}
	if ca == nil {
		ca = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return made, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return made, err
	}
	if made.certificate, err = x509.ParseCertificate(der); err != nil {
		return made, err
	}
	made.key = key
	err = writeFile(filepath.Join(data, keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	if err != nil {
		return made, err
	}
	return made, writeFile(filepath.Join(data, certFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// certificateIsGood reports whether the certificate in the data folder is the CA's, has its key, is for
// all names and is not near its end.
func certificateIsGood(data string, ca authority, now time.Time) bool {
	pair, err := tls.LoadX509KeyPair(filepath.Join(data, demoCert), filepath.Join(data, demoKey))
	if err != nil {
		return false
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.certificate)
	for _, host := range append([]string{"127.0.0.1"}, demoHosts...) {
		options := x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now.Add(certRenewal)}
		if _, err := pair.Leaf.Verify(options); err != nil {
			return false
		}
	}
	return true
}
