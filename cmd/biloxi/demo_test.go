package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"biloxi/config"
)

var demoStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// verifyDemo checks the certificate in a data folder as clients do, and returns it.
func verifyDemo(t *testing.T, data string, now time.Time) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(data, demoCert), filepath.Join(data, demoKey))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := readRoots(filepath.Join(data, demoCA))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1", "biloxi.example.com", "ss2.biloxi.example.com", "localhost"} {
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	return pair.Leaf
}

func TestDemoCertificate(t *testing.T) {
	data := filepath.Join(t.TempDir(), "biloxi-data")
	prepare := func(now time.Time) *x509.Certificate {
		t.Helper()
		file, err := prepareDemo(data, now)
		if err != nil {
			t.Fatal(err)
		}
		if cfg, err := config.Load(file, nil); err != nil || cfg.Data != data {
			t.Fatal(cfg.Data, err)
		}
		return verifyDemo(t, data, now)
	}
	first := prepare(demoStart)
	uris := ""
	for _, u := range first.URIs {
		uris += u.String() + " "
	}
	if uris != "sip:biloxi.example.com sip:ss2.biloxi.example.com sip:localhost " {
		t.Errorf("SIP identities: %s", uris)
	}
	for name, mode := range map[string]os.FileMode{".": 0o700 | os.ModeDir, demoCAKey: 0o600, demoKey: 0o600, demoConfig: 0o600} {
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	ca, err := os.ReadFile(filepath.Join(data, demoCA))
	if err != nil {
		t.Fatal(err)
	}
	if next := prepare(demoStart.Add(24 * time.Hour)); !next.Equal(first) {
		t.Error("a good certificate was replaced")
	}
	renewed := prepare(demoStart.Add(certLifetime - certRenewal + time.Hour))
	if renewed.Equal(first) {
		t.Error("a certificate near its end was kept")
	}
	if now, _ := os.ReadFile(filepath.Join(data, demoCA)); string(now) != string(ca) {
		t.Error("the CA, which clients trust, was replaced with its certificate")
	}
	if err := os.WriteFile(filepath.Join(data, demoKey), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	prepare(demoStart)
	prepare(demoStart.Add(caLifetime - caRenewal + time.Hour))
	if now, _ := os.ReadFile(filepath.Join(data, demoCA)); string(now) == string(ca) {
		t.Error("a CA that ends before its certificate was kept")
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"biloxi-data/ca.pem": "biloxi-data/ca.pem", "": "''", "my data": "'my data'", "it's": `'it'\''s'`, "$x;": "'$x;'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("%s: %s, not %s", in, got, want)
		}
	}
}
