package transport

import (
	"context"
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
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/sip"
)

// authority is a certificate authority of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

var testKey = sync.OnceValue(newKey)

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(), pool: x509.NewCertPool()}
	c := a.template()
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, c, c, a.key.Public(), a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) template() *x509.Certificate {
	// A long life on both sides: virtual time begins in the year 2000.
	return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
}

// issue makes a certificate with names: DNS names, or URIs where there is a colon, or IP addresses.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate), names ...string) tls.Certificate {
	t.Helper()
	c := a.template()
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil {
			c.IPAddresses = append(c.IPAddresses, ip.AsSlice())
		} else if strings.Contains(n, ":") {
			u, err := url.Parse(n)
			if err != nil {
				t.Fatal(err)
			}
			c.URIs = append(c.URIs, u)
		} else {
			c.DNSNames = append(c.DNSNames, n)
		}
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, testKey().Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: testKey()}
}

// startTLS runs a server with one TLS listener.
func (w *world) startTLS(cfg Config, h Handler) (*Transport, netip.AddrPort) {
	w.Helper()
	cfg.Listeners = []Listener{{sip.TLS, w.server + ":0"}}
	tr := w.start(cfg, h)
	return tr, addr(w, tr, sip.TLS)
}

// handshake returns a peer over TLS, or the error of the handshake and what follows it.
func (w *world) handshake(to netip.AddrPort, cfg *tls.Config) (*peer, error) {
	w.Helper()
	p := w.dial(to)
	c := tls.Client(p.Conn, cfg)
	c.SetDeadline(time.Now().Add(patience))
	if err := c.Handshake(); err != nil {
		p.Conn.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	return &peer{T: w.T, Conn: c}, nil
}

func (w *world) secure(to netip.AddrPort, cfg *tls.Config) *peer {
	w.Helper()
	p, err := w.handshake(to, cfg)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	server := ca.issue(t, nil, "example.com")
	one := TLSConfig{Certificates: []tls.Certificate{server}}
	worlds(t, "TL-001", func(w *world) {
		h := &authenticator{}
		tr, to := w.startTLS(Config{TLS: one}, h)
		p := w.secure(to, ClientTLS("example.com", ca.pool))
		two := request("TLS", "one", "body") + request("TLS", "two", "")
		for i := range two { // a record for each byte
			p.send(two[i : i+1])
		}
		if a, b := p.status(), p.status(); a != "200 one" || b != "200 two" {
			w.Errorf("got %s, %s", a, b)
		}
		p.open()
		large := request("TLS", "large", strings.Repeat("x", 200<<10))
		go p.Write([]byte(large))
		if got := p.status(); got != "200 large" {
			w.Errorf("got %s", got)
		}
		f := h.seen()[0].Flow
		if f.Transport != sip.TLS || h.seen()[0].PeerCertificate != nil {
			w.Errorf("arrival %+v", h.seen()[0])
		}
		if err := sendNow(tr, f, netip.AddrPort{}, []byte(large)); err != nil || p.message() != large {
			w.Errorf("a deferred answer: %v", err)
		}
		p.Close()
		w.eventually("closed by the peer", func() bool { return tr.Stats().Value("closed", sip.TLS, "peer") == 1 })
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		worlds(t, "TL-003 "+tls.VersionName(version), func(w *world) {
			_, to := w.startTLS(Config{TLS: one}, &answerer{})
			cfg := ClientTLS("example.com", ca.pool)
			cfg.MinVersion, cfg.MaxVersion = version, version
			p := w.secure(to, cfg)
			p.send(request("TLS", "v", ""))
			if got := p.status(); got != "200 v" {
				w.Errorf("got %s", got)
			}
		})
	}
	worlds(t, "TL-003", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one}, &answerer{})
		cfg := ClientTLS("example.com", ca.pool)
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if _, err := w.handshake(to, cfg); err == nil {
			w.Error("TLS 1.1 was accepted")
		}
		w.eventually("counted", func() bool { return tr.Stats().Value("closed", sip.TLS, "handshake") == 1 })
	})
	worlds(t, "certificate per name", func(w *world) {
		cfg := TLSConfig{Certificates: []tls.Certificate{server, ca.issue(t, nil, "example.net", "*.example.org"), ca.issue(t, nil, "sip:example.info", "x.example.com")}}
		tr, to := w.startTLS(Config{TLS: cfg}, &answerer{})
		for name, want := range map[string]string{
			"example.com": "example.com", "example.net": "example.net", "EXAMPLE.net": "example.net", "example.info": "example.info",
			"x.example.com": "example.info", "a.example.org": "example.com", "": "example.com",
		} {
			p := w.secure(to, &tls.Config{ServerName: name, InsecureSkipVerify: true})
			if got := Identities(p.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0]); got[0] != want {
				w.Errorf("asked for %q: certificate of %v, want %s", name, got, want)
			}
		}
		p := w.secure(to, ClientTLS("example.com", ca.pool))
		if err := tr.SetTLS(TLSConfig{Certificates: []tls.Certificate{ca.issue(t, nil, "new.example.com")}}); err != nil {
			w.Fatal(err)
		}
		p.open() // connections stay
		w.secure(to, ClientTLS("new.example.com", ca.pool)).open()
		if err := tr.SetTLS(TLSConfig{}); err == nil {
			w.Error("a TLS listener was left without a certificate")
		}
		w.secure(to, ClientTLS("new.example.com", ca.pool)).open()
	})
	worlds(t, "client certificates", func(w *world) {
		cfg := one
		cfg.ClientAuth, cfg.ClientCAs = RequestClientCertificate, ca.pool
		h := &answerer{}
		tr, to := w.startTLS(Config{TLS: cfg}, h)
		send := func(c *tls.Config) error {
			p, err := w.handshake(to, c)
			if err != nil {
				return err
			}
			defer p.Close()
			// In TLS 1.3 a client learns only now that its certificate is refused.
			if _, err := p.Write([]byte(request("TLS", "cert", ""))); err != nil {
				return err
			}
			p.SetReadDeadline(time.Now().Add(patience))
			_, err = p.Read(make([]byte, 1000))
			return err
		}
		// TL-009: without a certificate it is let in, as nobody.
		if err := send(ClientTLS("example.com", ca.pool)); err != nil {
			w.Error(err)
		}
		if err := send(ClientTLS("example.com", ca.pool, ca.issue(t, nil, "peer.example.com"))); err != nil {
			w.Error(err)
		}
		if err := send(ClientTLS("example.com", ca.pool, ca.issue(t, nil, "sip:bob@example.com"))); err != nil {
			w.Error(err)
		}
		if got := h.seen(); got[0].PeerCertificate != nil || !slices.Equal(got[1].PeerCertificate, []string{"peer.example.com"}) || got[2].PeerCertificate == nil || len(got[2].PeerCertificate) != 0 {
			w.Errorf("arrivals: %q, %q, %q", got[0].PeerCertificate, got[1].PeerCertificate, got[2].PeerCertificate)
		}
		stranger := newAuthority(t).issue(t, nil, "peer.example.com")
		forced := ClientTLS("example.com", ca.pool)
		forced.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
		if err := send(forced); err == nil {
			w.Error("a certificate of a stranger was accepted")
		}
		cfg.ClientAuth = RequireClientCertificate
		if err := tr.SetTLS(cfg); err != nil {
			w.Fatal(err)
		}
		if err := send(ClientTLS("example.com", ca.pool)); err == nil {
			w.Error("no certificate was accepted where one is required")
		}
		if err := send(ClientTLS("example.com", ca.pool, ca.issue(t, nil, "peer.example.com"))); err != nil {
			w.Error(err)
		}
		if n := len(h.seen()); n != 4 {
			w.Errorf("%d arrivals, want 4", n)
		}
	})
	worlds(t, "shutdown while handshakes wait", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one, Limits: Limits{Handshaking: 1}}, &answerer{})
		tr.turns.take(sourcesOf(to.Addr()).wide, false, waitEnds{}) // nobody gets one
		for range 3 {
			go tls.Client(w.dial(to).Conn, ClientTLS("example.com", ca.pool)).Handshake()
		}
		w.dial(to) // never begins its own
		w.eventually("they wait", func() bool { return tr.turns.waiting() == 3 && tr.Stats().Value("connections", sip.TLS, "") == 4 })
		start := time.Now()
		if err := tr.Shutdown(context.Background()); err != nil {
			w.Error(err)
		}
		if d := time.Since(start); d > DefaultHandshake/2 {
			w.Errorf("the shutdown waited %v for handshakes", d)
		}
		if n := tr.turns.waiting(); n != 0 {
			w.Errorf("%d still wait", n)
		}
	})
	worlds(t, "shutdown", func(w *world) {
		tr, to := w.startTLS(Config{TLS: one}, &answerer{})
		p := w.secure(to, ClientTLS("example.com", ca.pool))
		p.open()
		w.dial(to) // never begins its handshake
		if err := tr.Shutdown(context.Background()); err != nil {
			w.Error(err)
		}
		p.closed() // with an alert: any error but EOF would be a truncation
	})
}

func TestIdentity(t *testing.T) {
	ca := newAuthority(t)
	eku := func(known []x509.ExtKeyUsage, other ...asn1.ObjectIdentifier) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage, c.UnknownExtKeyUsage = known, other }
	}
	for _, c := range []struct {
		row    string
		names  []string
		domain string
		change func(*x509.Certificate)
		ok     bool
	}{
		{"TL-004", []string{"example.com"}, "example.com", nil, true},
		{"TL-004", []string{"example.net"}, "example.com", nil, false},
		{"TL-004", []string{"sip:example.com"}, "example.com", nil, true},
		{"TL-004", []string{"sip:example.net", "example.com"}, "example.com", nil, false},
		{"TL-004", []string{"sips:example.com"}, "example.com", nil, false},
		{"TL-004", []string{"sip:example.com:5061;transport=tcp"}, "example.com", nil, true},
		{"TL-004", []string{"127.0.0.1"}, "127.0.0.1", nil, true},
		{"TL-004", []string{"127.0.0.2"}, "127.0.0.1", nil, false},
		{"TL-005", []string{"*.example.com"}, "a.example.com", nil, false},
		{"TL-005", []string{"example.com"}, "a.example.com", nil, false},
		{"TL-006", []string{"EXAMPLE.com"}, "example.COM", nil, true},
		{"TL-006", []string{"SIP:Example.com"}, "example.com", nil, true},
		{"TL-007", []string{"sip:bob@example.com"}, "example.com", nil, false},
		{"TL-007", []string{"sip:bob@example.com", "example.com"}, "example.com", nil, true},
		{"TL-008", []string{"example.com"}, "example.com", eku([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}), true},
		{"TL-008", []string{"example.com"}, "example.com", eku(nil, sipDomain), true},
		{"TL-008", []string{"example.com"}, "example.com", eku([]x509.ExtKeyUsage{x509.ExtKeyUsageAny}), true},
		{"TL-008", []string{"example.com"}, "example.com", eku([]x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}), false},
	} {
		t.Run(c.row+"/"+strings.Join(c.names, " ")+" for "+c.domain, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			cert := ca.issue(t, c.change, c.names...)
			go tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
			err := tls.Client(near, ClientTLS(c.domain, ca.pool)).Handshake()
			if (err == nil) != c.ok {
				t.Errorf("handshake: %v, want it to work: %v", err, c.ok)
			}
		})
	}
	t.Run("TL-004/other roots", func(t *testing.T) {
		chain, err := x509.ParseCertificate(ca.issue(t, nil, "example.com").Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if Verify([]*x509.Certificate{chain}, newAuthority(t).pool) == nil {
			t.Error("verified by an authority that did not sign it")
		}
	})
}

func TestLoadCertificate(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.issue(t, nil, "example.com")
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	keyDER := func(k *ecdsa.PrivateKey) []byte {
		der, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certFile := file("cert.pem", "CERTIFICATE", cert.Certificate[0])
	if _, err := LoadCertificate(certFile, file("key.pem", "EC PRIVATE KEY", keyDER(testKey()))); err != nil {
		t.Error(err)
	}
	wrong := file("wrong.pem", "EC PRIVATE KEY", keyDER(other))
	if _, err := LoadCertificate(certFile, wrong); err == nil || !strings.Contains(err.Error(), wrong) || !strings.HasSuffix(err.Error(), "the key is not that of the certificate") {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := LoadCertificate(certFile, filepath.Join(dir, "none.pem")); err == nil {
		t.Error("no key was loaded")
	}
	cert.PrivateKey = other
	if _, err := New(Config{TLS: TLSConfig{Certificates: []tls.Certificate{cert}}}, &answerer{}); err == nil || !strings.Contains(err.Error(), "example.com") {
		t.Errorf("New with a wrong key: %v", err)
	}
}

func TestReload(t *testing.T) {
	t.Run("T16", func(t *testing.T) {
		ca := newAuthority(t)
		two := [][]tls.Certificate{{ca.issue(t, nil, "a.example.com")}, {ca.issue(t, nil, "b.example.com")}}
		noLeak(t)
		tr := start(t, Config{TLS: TLSConfig{Certificates: two[0]}, Listeners: []Listener{{sip.TLS, "127.0.0.1:0"}}}, &answerer{})
		w := &world{T: t}
		p := w.secure(addr(t, tr, sip.TLS), &tls.Config{InsecureSkipVerify: true})
		reload := func(n int) uint64 {
			for i := range n {
				if err := tr.SetTLS(TLSConfig{Certificates: two[i%2]}); err != nil {
					t.Fatal(err)
				}
				if i%500 == 0 {
					q := w.secure(addr(t, tr, sip.TLS), &tls.Config{InsecureSkipVerify: true})
					q.open()
					q.Close()
				}
			}
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := reload(1000)
		after := reload(10_000)
		if after > before+1<<20 {
			t.Errorf("%d bytes of heap before, %d after", before, after)
		}
		p.open()
	})
}
