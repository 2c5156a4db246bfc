package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// authority signs certificates of tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

// names is what a certificate says of whom it is for.
type names struct {
	cn        string
	dns, uris []string
	ips       []string
	usage     []x509.ExtKeyUsage
	other     []asn1.ObjectIdentifier
	expired   bool
}

func (a *authority) issue(t *testing.T, n names) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: n.cn}, DNSNames: n.dns,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: n.usage, UnknownExtKeyUsage: n.other}
	if n.expired {
		template.NotAfter = time.Now().Add(-time.Minute)
	}
	for _, s := range n.uris {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	for _, s := range n.ips {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(s))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Each row connects to a server with the certificate. One that is refused got no SIP at all.
func TestServerCertificate(t *testing.T) {
	ca := newAuthority(t)
	const domain = "biloxi.example.com"
	rows := []struct {
		row, name string
		cert      names
		taken     bool
	}{
		{"TL-004", "DNS name", names{dns: []string{"other.example.com", domain}}, true},
		{"TL-004", "another DNS name", names{dns: []string{"other.example.com"}}, false},
		{"TL-004", "SIP URI", names{uris: []string{"sip:" + domain}}, true},
		{"TL-004", "one SIP URI of two", names{uris: []string{"sip:other.example.com", "SIP:" + domain}}, true},
		{"TL-004", "a SIP URI hides the DNS names", names{uris: []string{"sip:other.example.com"}, dns: []string{domain}}, false},
		{"TL-004", "another scheme hides nothing", names{uris: []string{"https://other.example.com"}, dns: []string{domain}}, true},
		{"TL-004", "another scheme is no identity", names{uris: []string{"sips:" + domain, "https://" + domain}}, false},
		{"TL-004", "common name alone", names{cn: domain}, false},
		{"TL-004", "common name beside another DNS name", names{cn: domain, dns: []string{"other.example.com"}}, false},
		{"TL-004", "out of date", names{dns: []string{domain}, expired: true}, false},
		{"TL-005", "wildcard DNS name", names{dns: []string{"*.example.com"}}, false},
		{"TL-005", "wildcard SIP URI", names{uris: []string{"sip:*.example.com"}}, false},
		{"TL-005", "suffix", names{dns: []string{"example.com"}}, false},
		{"TL-005", "longer", names{dns: []string{"ss2." + domain}}, false},
		{"TL-006", "mixed case of a DNS name", names{dns: []string{"Biloxi.EXAMPLE.com"}}, true},
		{"TL-006", "mixed case of a SIP URI", names{uris: []string{"sip:BILOXI.example.COM"}}, true},
		{"TL-006", "port and parameters do not count", names{uris: []string{"sip:" + domain + ":5061;transport=tls"}}, true},
		{"TL-007", "user", names{uris: []string{"sip:bob@" + domain}}, false},
		{"TL-007", "user, and a DNS name", names{uris: []string{"sip:bob@" + domain}, dns: []string{domain}}, true},
		{"TL-008", "usage of a TLS server", names{dns: []string{domain}, usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, true},
		{"TL-008", "usage of a SIP domain", names{dns: []string{domain}, other: []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 20}}}, true},
		{"TL-008", "any usage", names{dns: []string{domain}, usage: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}, true},
		{"TL-008", "usage of a TLS client", names{dns: []string{domain}, usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, false},
	}
	for _, row := range rows {
		t.Run(row.row+"/"+row.name, func(t *testing.T) {
			u, err := askTLS(t, ca, row.cert, "sips:"+domain)
			checkTaken(t, row.taken, err, u)
		})
	}
	// By address: the address, or the domain that the request is for.
	for _, row := range []struct {
		name  string
		cert  names
		taken bool
	}{
		{"address", names{ips: []string{"192.0.2.4", "127.0.0.1"}}, true},
		{"another address", names{ips: []string{"192.0.2.4"}}, false},
		{"address as a DNS name", names{dns: []string{"127.0.0.1"}}, false},
		{"domain", names{dns: []string{domain}}, true},
		{"another domain", names{dns: []string{"other.example.com"}}, false},
	} {
		t.Run("by address/"+row.name, func(t *testing.T) {
			u, err := askTLS(t, ca, row.cert, "")
			checkTaken(t, row.taken, err, u)
		})
	}
}

// askTLS queries a server that has the certificate. The server URI is one by name, or empty for the
// address.
func askTLS(t *testing.T, ca *authority, n names, server string) (*uas, error) {
	t.Helper()
	u := newUAS(t, sip.TLS, ca.issue(t, n), always("200 OK"))
	if server == "" {
		server = u.uri(sip.TLS)
	} else {
		server += fmt.Sprint(":", u.addr.Port())
	}
	lookup := func(ctx context.Context, host string) ([]netip.Addr, error) { return []netip.Addr{u.addr.Addr()}, nil }
	c, ctx := newClient(t, Config{Server: server, Roots: ca.pool, Lookup: lookup})
	_, err := c.Query(ctx)
	return u, err
}

func checkTaken(t *testing.T, taken bool, err error, u *uas) {
	t.Helper()
	var refused *CertificateError
	switch {
	case taken && (err != nil || len(u.requests()) != 1):
		t.Errorf("refused: %v", err)
	case !taken && err == nil:
		t.Error("taken")
	case !taken && (!errors.As(err, &refused) || len(u.requests()) != 0):
		t.Errorf("%v, %d requests sent", err, len(u.requests()))
	}
}

func TestCertificateOfAnotherAuthority(t *testing.T) {
	u := newUAS(t, sip.TLS, newAuthority(t).issue(t, names{ips: []string{"127.0.0.1"}}), always("200 OK"))
	c, ctx := newClient(t, Config{Server: u.uri(sip.TLS), Roots: newAuthority(t).pool})
	_, err := c.Query(ctx)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) || len(u.requests()) != 0 {
		t.Errorf("%v, %d requests sent", err, len(u.requests()))
	}
}

func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &uas{t: t, addr: addrPort(l.Addr()), script: always("200 OK")}
	secure := tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*ca.issue(t, names{ips: []string{"127.0.0.1"}})},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool})
	u.during(t, secure, func() { u.serveListener(secure) })
	own := ca.issue(t, names{uris: []string{"sip:bob@biloxi.example.com"}, usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	c, ctx := newClient(t, Config{Server: u.uri(sip.TLS), Roots: ca.pool, Certificates: []tls.Certificate{*own}})
	if res, err := c.Query(ctx); err != nil || !res.OK() {
		t.Errorf("with a certificate: %+v, %v", res, err)
	}
	c, ctx = newClient(t, Config{Server: u.uri(sip.TLS), Roots: ca.pool})
	if _, err := c.Query(ctx); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a certificate: %v", err)
	}
}
