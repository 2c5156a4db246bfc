package bed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a CA of tests: servers and agents that share one trust each other.
type Authority struct {
	File string // of its certificate

	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificates are good from 1999 on, since the clock of testing/synctest begins in 2000.
var goodFrom, goodTo = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)

// NewAuthority makes a CA whose certificate lies in a folder as ca.pem.
func NewAuthority(t testing.TB, dir string) *Authority {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: goodFrom, NotAfter: goodTo,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a := &Authority{File: filepath.Join(dir, "ca.pem"), t: t, key: newKey(t)}
	der := sign(t, template, template, a.key, a.key)
	writePEM(t, a.File, "CERTIFICATE", der)
	var err error
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// Certificate makes a certificate for host names and IP addresses, for servers and for clients.
func (a *Authority) Certificate(names ...string) tls.Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, NotBefore: goodFrom, NotAfter: goodTo,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, ip)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, n)
		}
	}
	key := newKey(a.t)
	return tls.Certificate{Certificate: [][]byte{sign(a.t, leaf, a.cert, key, a.key)}, PrivateKey: key}
}

// Files makes a certificate as Certificate does, and writes it with its key and the CA's certificate into
// files of a folder.
func (a *Authority) Files(dir string, names ...string) (certificate, key string) {
	a.t.Helper()
	c := a.Certificate(names...)
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(a.t, certificate, "CERTIFICATE", c.Certificate[0])
	writePEM(a.t, key, "PRIVATE KEY", der)
	writePEM(a.t, CAFile(certificate), "CERTIFICATE", a.cert.Raw)
	return certificate, key
}

// Client is what a client needs that trusts the CA and takes the server for this name.
func (a *Authority) Client(server string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, ServerName: server}
}

// CAFile is where the CA of a bed's certificates lies, beside the server's.
func CAFile(certificate string) string { return filepath.Join(filepath.Dir(certificate), "ca.pem") }

// WriteCertificates makes what a server needs for TLS at an address, in a folder, with the CA's certificate
// in ca.pem, and returns the files.
func WriteCertificates(t testing.TB, dir, address string) (certificate, key string) {
	t.Helper()
	return NewAuthority(t, dir).Files(dir, Domain, Host, address)
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
