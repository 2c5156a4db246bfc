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

type certificates struct {
	ca, certificate, key string // files
	client               *tls.Config
	phone                tls.Certificate // of a client
}

// CAFile is where the CA of a bed's certificates lies, beside the server's.
func CAFile(certificate string) string { return filepath.Join(filepath.Dir(certificate), "ca.pem") }

// WriteCertificates makes what a server needs for TLS at an address, in a folder, with the CA's certificate
// in ca.pem, and returns the files.
func WriteCertificates(t testing.TB, dir, address string) (certificate, key string) {
	c := writeCertificates(t, dir, address)
	return c.certificate, c.key
}

// writeCertificates makes a CA and a server certificate for the domain, its host and an address. They
// are good from 1999 on, since that is when the clock of testing/synctest begins.
func writeCertificates(t testing.TB, dir, address string) certificates {
	t.Helper()
	from, to := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: Domain}, NotBefore: from, NotAfter: to,
		DNSNames: []string{Domain, Host}, IPAddresses: []net.IP{net.ParseIP(address)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	phone := &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "phone"}, NotBefore: from, NotAfter: to,
		DNSNames: []string{"phone.example.com"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	caKey, leafKey, phoneKey := newKey(t), newKey(t), newKey(t)
	caDER := sign(t, ca, ca, caKey, caKey)
	leafDER := sign(t, leaf, ca, leafKey, caKey)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	c := certificates{ca: filepath.Join(dir, "ca.pem"), certificate: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	writePEM(t, c.ca, "CERTIFICATE", caDER)
	writePEM(t, c.certificate, "CERTIFICATE", leafDER)
	writePEM(t, c.key, "PRIVATE KEY", keyDER)
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	c.phone = tls.Certificate{Certificate: [][]byte{sign(t, phone, ca, phoneKey, caKey)}, PrivateKey: phoneKey}
	c.client = &tls.Config{RootCAs: pool, ServerName: Host}
	return c
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
