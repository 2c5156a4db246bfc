package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	. "biloxi/siptest"
)

// files are a certificate's.
type files struct{ certificate, key string }

// certify makes a certificate for a name, in place of what is in the files.
func (f files) certify(t *testing.T, name string) {
	t.Helper()
	writeCertificate(t, f.certificate, f.key, name)
}

func filesIn(dir, name string) files {
	return files{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")}
}

// tlsConfig is a server with a TLS listener, whose certificate is for first.example.
func tlsConfig(t *testing.T) (config.Config, files) {
	t.Helper()
	c := testConfig(t)
	f := filesIn(t.TempDir(), "server")
	f.certify(t, "first.example")
	c.TLS.Certificate, c.TLS.Key = f.certificate, f.key
	c.Listeners = append(c.Listeners, config.Listener{Transport: config.Transport(sip.TLS), Address: "127.0.0.1:0"})
	return c, f
}

// tlsClient is a client that takes any certificate.
func tlsClient(change func(*tls.Config)) *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true}
	if change != nil {
		change(c)
	}
	return c
}

// meet connects, has an OPTIONS answered, and returns the name in the server's certificate. An error says that the
// server refused: with TLS 1.3 a client learns of it after its handshake.
func meet(t *testing.T, s *Server, cfg *tls.Config) (name string, err error) {
	t.Helper()
	c, err := connect(t, s, cfg)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Write([]byte(strings.Replace(string(options()), "/UDP", "/TLS", 1))); err != nil {
		return "", err
	}
	b := make([]byte, 4096)
	n, err := io.ReadAtLeast(c, b, len("SIP/2.0 200"))
	if err != nil {
		return "", err
	}
	if answer := string(b[:n]); !strings.HasPrefix(answer, "SIP/2.0 200") {
		t.Errorf("OPTIONS is answered\n%s", answer)
	}
	return certificateName(c), nil
}

func connect(t *testing.T, s *Server, cfg *tls.Config) (*tls.Conn, error) {
	t.Helper()
	raw, err := net.Dial("tcp", listener(t, s, sip.TLS).Local.String())
	if err != nil {
		t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(patience))
	c := tls.Client(raw, cfg)
	if err := c.Handshake(); err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

func certificateName(c *tls.Conn) string {
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// met fails the test unless the server takes the client and shows a certificate of that name.
func met(t *testing.T, s *Server, cfg *tls.Config, want string) {
	t.Helper()
	if name, err := meet(t, s, cfg); name != want {
		t.Errorf("the server shows %q, %v; want %q", name, err, want)
	}
}

// refused fails the test unless the server refuses the client. The client must not have waited in vain for that.
func refused(t *testing.T, s *Server, cfg *tls.Config) {
	t.Helper()
	name, err := meet(t, s, cfg)
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the server, %q, does not refuse: %v", name, err)
	}
}

// TestReloadCertificates: connections stay as they are, handshakes see the new certificate, and a reload that goes
// wrong changes nothing.
func TestReloadCertificates(t *testing.T) {
	c, f := tlsConfig(t)
	s := start(t, c)
	conn, err := connect(t, s, tlsClient(nil))
	if err != nil {
		t.Fatal(err)
	}
	d := c.Domains[0]
	if err := s.Subscribers().Put(t.Context(), subscriberOf("bob", d)); err != nil {
		t.Fatal(err)
	}
	p := NewPhone(t, OverStream(sip.TLS, conn), "bob", d.Name, passwordOf("bob"))
	defer conn.Close()
	p.Wait = patience
	p.Register(Contact("<sips:bob@192.0.2.1>")).Expect(200)

	f.certify(t, "second.example")
	met(t, s, tlsClient(nil), "first.example") // nobody has said reload
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	met(t, s, tlsClient(nil), "second.example")
	p.Bound("sips:bob@192.0.2.1") // down the same connection, with the same nonce
	if name := certificateName(conn); name != "first.example" {
		t.Errorf("the connection is with %s", name)
	}

	before := s.state.Load()
	other := filesIn(t.TempDir(), "other")
	other.certify(t, "other.example")
	for name, change := range map[string]func(*config.Config){
		"a key of another certificate": func(c *config.Config) { c.TLS.Key = other.key },
		"no such certificate":          func(c *config.Config) { c.TLS.Certificate = other.certificate + ".no" },
		"no certificate at all":        func(c *config.Config) { c.TLS = config.TLS{} },
		"one of the names is wrong": func(c *config.Config) {
			c.TLS.SNI = []config.Certificate{{Certificate: other.certificate, Key: f.key}}
		},
		"no such CA": func(c *config.Config) {
			c.TLS.ClientCertificates, c.TLS.ClientCA = config.ClientCertsRequire, other.certificate+".no"
		},
		"a CA that is none": func(c *config.Config) {
			c.TLS.ClientCertificates, c.TLS.ClientCA = config.ClientCertsRequire, other.key
		},
		"another address": func(c *config.Config) {
			c.Listeners = []config.Listener{{Transport: config.Transport(sip.UDP), Address: "127.0.0.1:0"}}
		},
	} {
		bad := c
		bad.TLS = c.TLS
		bad.Domains = []config.Domain{{Name: "new.example", Realm: "new.example", Algorithms: d.Algorithms}}
		change(&bad)
		if err := s.Reload(bad); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		if s.state.Load() != before {
			t.Errorf("%s: something has changed", name)
		}
		met(t, s, tlsClient(nil), "second.example")
		p.Bound("sips:bob@192.0.2.1")
	}
}

// TestManyReloads: certificates can be renewed for ever, also under a connection.
func TestManyReloads(t *testing.T) {
	t.Run("T16", func(t *testing.T) {
		const reloads = 1000
		c, _ := tlsConfig(t)
		g := filesIn(t.TempDir(), "second")
		g.certify(t, "second.example")
		next := c
		next.TLS.Certificate, next.TLS.Key = g.certificate, g.key
		s := start(t, c)
		conn, err := connect(t, s, tlsClient(nil))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		reload := func(n int) {
			for i := range n {
				if err := s.Reload([]config.Config{next, c}[i%2]); err != nil {
					t.Fatal(err)
				}
			}
		}
		reload(reloads / 10)
		met(t, s, tlsClient(nil), "first.example")
		goroutines, live := runtime.NumGoroutine(), liveHeap()
		reload(reloads)
		met(t, s, tlsClient(nil), "first.example")
		if grown := liveHeap() - live; grown > 1<<20 {
			t.Errorf("the heap grew by %d bytes in %d reloads", grown, reloads)
		}
		// The reader of the last connection may not have seen yet that it was closed.
		if n := runtime.NumGoroutine(); n > goroutines+2 {
			t.Errorf("%d goroutines became %d in %d reloads", goroutines, n, reloads)
		}
	})
}

// liveHeap is what is in use after a collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestTLSVersions(t *testing.T) {
	t.Run("TL-003", func(t *testing.T) {
		twelve := tlsClient(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
		eleven := tlsClient(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 })
		c, _ := tlsConfig(t)
		s := start(t, c)
		met(t, s, twelve, "first.example")
		met(t, s, tlsClient(nil), "first.example")
		refused(t, s, eleven)
		c.TLS.MinVersion = config.TLS13
		if err := s.Reload(c); err != nil {
			t.Fatal(err)
		}
		refused(t, s, twelve)
		met(t, s, tlsClient(nil), "first.example")
		c.Data = t.TempDir()
		refused(t, start(t, c), twelve)
	})
}

// TestServerNames: the client's server_name chooses the certificate; the first is that of every other name.
func TestServerNames(t *testing.T) {
	c, _ := tlsConfig(t)
	for _, name := range []string{"second.example", "third.example"} {
		f := filesIn(t.TempDir(), name)
		f.certify(t, name)
		c.TLS.SNI = append(c.TLS.SNI, config.Certificate{Certificate: f.certificate, Key: f.key})
	}
	s := start(t, c)
	for asked, want := range map[string]string{
		"": "first.example", "first.example": "first.example", "second.example": "second.example",
		"THIRD.example": "third.example", "fourth.example": "first.example", "sub.second.example": "first.example",
	} {
		t.Run(fmt.Sprintf("%q", asked), func(t *testing.T) {
			met(t, s, tlsClient(func(c *tls.Config) { c.ServerName = asked }), want)
		})
	}
	c.TLS.SNI = c.TLS.SNI[:1]
	if err := s.Reload(c); err != nil {
		t.Fatal(err)
	}
	met(t, s, tlsClient(func(c *tls.Config) { c.ServerName = "third.example" }), "first.example")
}

// TestClientCertificates: request takes clients without a certificate, require does not, and neither takes one that
// nobody vouches for.
func TestClientCertificates(t *testing.T) {
	c, _ := tlsConfig(t)
	known, stranger := filesIn(t.TempDir(), "known"), filesIn(t.TempDir(), "stranger")
	shows := func(f files, name string) *tls.Config {
		f.certify(t, name)
		cert, err := tls.LoadX509KeyPair(f.certificate, f.key)
		if err != nil {
			t.Fatal(err)
		}
		// Whatever the server says whose certificates it takes.
		return tlsClient(func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
		})
	}
	good, bad, none := shows(known, "phone.example"), shows(stranger, "stranger.example"), tlsClient(nil)
	c.TLS.ClientCA = known.certificate // it is its own CA
	for _, mode := range []config.ClientCerts{config.ClientCertsNone, config.ClientCertsRequest, config.ClientCertsRequire} {
		t.Run(string(mode), func(t *testing.T) {
			c.TLS.ClientCertificates = mode
			if mode == config.ClientCertsNone {
				c := c
				c.TLS.ClientCA = ""
				met(t, start(t, c), none, "first.example")
				return
			}
			s := start(t, c)
			met(t, s, good, "first.example")
			refused(t, s, bad)
			if mode == config.ClientCertsRequire {
				refused(t, s, none)
			} else {
				met(t, s, none, "first.example")
			}
		})
	}
	t.Run("reload", func(t *testing.T) {
		c := c
		c.Data = t.TempDir()
		c.TLS.ClientCertificates = config.ClientCertsRequest
		s := start(t, c)
		met(t, s, none, "first.example")
		c.TLS.ClientCertificates = config.ClientCertsRequire
		if err := s.Reload(c); err != nil {
			t.Fatal(err)
		}
		refused(t, s, none)
		met(t, s, good, "first.example")
	})
}
