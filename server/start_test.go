package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
)

// writeCertificate makes a self-signed certificate and its key for a name.
func writeCertificate(t testing.TB, certFile, keyFile, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der},
		keyFile:  {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// testConfig is a server on free ports of loopback with its data in a folder of the test.
func testConfig(t testing.TB) config.Config {
	t.Helper()
	c := config.Default()
	c.Data = t.TempDir()
	c.Domains[0].Name, c.Domains[0].Realm = "biloxi.example.com", "atlanta.example.com"
	c.Domains[0].Aliases = []string{"127.0.0.1", "ss2.biloxi.example.com"}
	for i := range c.Listeners {
		c.Listeners[i].Address = "127.0.0.1:0"
	}
	return c
}

// start serves until the test ends.
func start(t testing.TB, c config.Config) *Server {
	t.Helper()
	return startWith(t, c, Options{})
}

// startWith is start with options.
func startWith(t testing.TB, c config.Config, opt Options) *Server {
	t.Helper()
	s, err := New(c, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// TestExamples boots every configuration of examples/, on free ports of loopback and with certificates made for it.
func TestExamples(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../examples/*.toml", "../examples/*/*.toml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no examples: %s, %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(filepath.ToSlash(strings.TrimPrefix(file, filepath.FromSlash("../examples/"))), func(t *testing.T) {
			c, err := config.Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Data = t.TempDir()
			for i := range c.Listeners {
				host, _, _ := net.SplitHostPort(c.Listeners[i].Address)
				if ip := net.ParseIP(host); !ip.IsLoopback() {
					host = "127.0.0.1"
				}
				c.Listeners[i].Address = net.JoinHostPort(host, "0")
			}
			one := func(certificate, key *string) {
				if *certificate != "" {
					*certificate, *key = filepath.Join(c.Data, filepath.Base(*certificate)), filepath.Join(c.Data, filepath.Base(*key))
					writeCertificate(t, *certificate, *key, "example.com")
				}
			}
			one(&c.TLS.Certificate, &c.TLS.Key)
			for i := range c.TLS.SNI {
				one(&c.TLS.SNI[i].Certificate, &c.TLS.SNI[i].Key)
			}
			if got, want := len(start(t, c).Addrs()), len(c.Listeners); got != want {
				t.Errorf("%d listeners, want %d", got, want)
			}
		})
	}
}

// TestStartErrors are the faults of a start: one line each that says what is wrong, and nothing stays.
func TestStartErrors(t *testing.T) {
	oneLine := func(t *testing.T, err error, want ...string) {
		t.Helper()
		if err == nil {
			t.Fatal("it started")
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	t.Run("port taken", func(t *testing.T) {
		taken, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		c := testConfig(t)
		c.Listeners[0].Address = taken.LocalAddr().String()
		s, err := New(c, Options{})
		if err != nil {
			t.Fatal(err)
		}
		oneLine(t, s.Listen(), "udp "+taken.LocalAddr().String(), "in use")
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Run("data folder is a file", func(t *testing.T) {
		c := testConfig(t)
		c.Data = filepath.Join(c.Data, "file")
		if err := os.WriteFile(c.Data, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(c, Options{})
		oneLine(t, err, "data folder", c.Data)
	})
	t.Run("second server on the data folder", func(t *testing.T) {
		c := testConfig(t)
		start(t, c)
		_, err := New(c, Options{})
		oneLine(t, err, c.Data)
	})
	t.Run("key of another certificate", func(t *testing.T) {
		c := testConfig(t)
		cert, key, other := filepath.Join(c.Data, "c.pem"), filepath.Join(c.Data, "k.pem"), filepath.Join(c.Data, "o.pem")
		writeCertificate(t, filepath.Join(c.Data, "unused.pem"), other, "other.example")
		writeCertificate(t, cert, key, "example.com")
		c.TLS.Certificate, c.TLS.Key = cert, other
		c.Listeners = append(c.Listeners, config.Listener{Transport: config.Transport(sip.TLS), Address: "127.0.0.1:0"})
		_, err := New(c, Options{})
		oneLine(t, err, cert, other, "not that of the certificate")
	})
	t.Run("no certificate file", func(t *testing.T) {
		c := testConfig(t)
		c.TLS.Certificate, c.TLS.Key = filepath.Join(c.Data, "none.pem"), filepath.Join(c.Data, "none.key")
		_, err := New(c, Options{})
		oneLine(t, err, "none.pem", "no such file")
	})
}

// TestReload shows that a reload takes all of a configuration or nothing.
func TestReload(t *testing.T) {
	c := testConfig(t)
	s := start(t, c)
	next := c
	next.Domains = append([]config.Domain{}, c.Domains...)
	next.Domains = append(next.Domains, config.Domain{Name: "new.example", Realm: "new.example", Algorithms: c.Domains[0].Algorithms})
	if err := s.Reload(next); err != nil {
		t.Fatal(err)
	}
	if s.state.Load().domains.find([]byte("NEW.example")).domain == nil {
		t.Error("the new domain is not served")
	}
	if s.state.Load().digest == nil {
		t.Error("no digest")
	}
	bad := c
	bad.Data = "elsewhere"
	bad.Domains = c.Domains
	err := s.Reload(bad)
	if err == nil || !strings.Contains(err.Error(), "data") || !strings.Contains(err.Error(), "restart") {
		t.Errorf("Reload of another data folder: %v", err)
	}
	if s.state.Load().domains.find([]byte("new.example")).domain == nil {
		t.Error("a refused reload changed something")
	}
	bad = next
	bad.TLS.Certificate, bad.TLS.Key = "none.pem", "none.key"
	if err := s.Reload(bad); err == nil {
		t.Error("a reload with a certificate that is not there was taken")
	}
}
