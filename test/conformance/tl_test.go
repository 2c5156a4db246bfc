package conformance

import (
	"context"
	cryptotls "crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestTLS: TLS as a server (RFC 3261 §26.3.1), and what sips means to a registrar (RFC 5630 §5.2).
func TestTLS(t *testing.T) {
	b := start(t)

	t.Run("TL-002", func(t *testing.T) {
		p := phoneOver(t, b, tls)
		const one = "sips:one@192.0.2.1"
		p.Register(Contact("<" + one + ">")).Expect(200).Bound(one)
		// A sips Request-URI comes over TLS or not at all.
		for _, transport := range []Edit{URI("sips:" + bed.Domain)} {
			newPhone(t, b).Once(transport).Failed().Lacks("WWW-Authenticate")
			phoneOver(t, b, tcp).Once(transport).Failed().Lacks("WWW-Authenticate")
		}
	})
	t.Run("TL-003", func(t *testing.T) {
		for version, good := range map[uint16]bool{cryptotls.VersionTLS10: false, cryptotls.VersionTLS11: false,
			cryptotls.VersionTLS12: true, cryptotls.VersionTLS13: true} {
			c := b.TLS()
			c.MinVersion, c.MaxVersion = version, version
			if err := handshake(t, b, c); (err == nil) != good {
				t.Errorf("%s: %v", cryptotls.VersionName(version), err)
			}
		}
	})
	t.Run("TL-010", func(t *testing.T) {
		p := phoneOver(t, b, tls)
		p.Register(Contact("<sips:one@192.0.2.1>", "<sip:two@192.0.2.1>")).Expect(400)
		p.Register(Contact("<sips:one@192.0.2.1>"), URI("sip:"+bed.Domain)).Expect(400)
		p.Register(Contact("<sips:one@192.0.2.1>"), Line("Supported: path", "Path: <sips:a.example;lr>, <sip:b.example;lr>")).Expect(400)
		p.Bound()
		p.Register(Contact("<sips:one@192.0.2.1>"), Line("Supported: path", "Path: <sips:a.example;lr>")).Expect(200)
		// A contact of another scheme goes with either (RFC 3665 §2.2).
		p.Register(Contact("<mailto:one@example.com>")).Expect(200).Bound("sips:one@192.0.2.1", "mailto:one@example.com")
	})
}

// TestNoTrust: a connection proves nothing about who a phone is.
func TestNoTrust(t *testing.T) {
	b := start(t, func(c *config.Config) {
		c.TLS.ClientCertificates, c.TLS.ClientCA = config.ClientCertsRequest, bed.CAFile(c.TLS.Certificate)
	})
	t.Run("TL-009", func(t *testing.T) {
		p := phoneOver(t, b, tls)
		p.Once(Contact("<sips:one@192.0.2.1>")).Expect(401)
		p.Bound()
	})
	t.Run("TL-014", func(t *testing.T) {
		p := phoneOver(t, b, tls)
		for _, r := range []*Response{p.Once(), p.Once(Method("OPTIONS")), p.Once(Method("INVITE")),
			p.Register(Contact("<sips:one@192.0.2.1>")), p.Register(Contact("*"))} {
			if strings.Contains(strings.ToLower(r.Raw), "transport=tls") {
				r.Fatalf("transport=tls")
			}
		}
	})
}

// handshake does a TLS handshake and one exchange, since a server with TLS 1.3 refuses a client only
// after the client has done.
func handshake(t *testing.T, b *bed.Bed, c *cryptotls.Config) error {
	raw, err := net.Dial("tcp", b.Addr(tls).String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	s := cryptotls.Client(raw, c)
	if err := s.HandshakeContext(context.Background()); err != nil {
		return err
	}
	s.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := s.Write([]byte("\r\n\r\n")); err != nil {
		return err
	}
	_, err = s.Read(make([]byte, 2))
	return err
}

// TestMutualTLS: a client may be asked for a certificate.
func TestMutualTLS(t *testing.T) {
	t.Run("TL-001", func(t *testing.T) {
		if err := handshake(t, start(t), start(t).TLS()); err == nil {
			t.Error("the certificate of another CA is taken")
		}
		one := start(t)
		if err := handshake(t, one, one.TLS()); err != nil {
			t.Errorf("one-way: %v", err)
		}
		mutual := start(t, func(c *config.Config) {
			c.TLS.ClientCertificates, c.TLS.ClientCA = config.ClientCertsRequire, bed.CAFile(c.TLS.Certificate)
		})
		if err := handshake(t, mutual, mutual.TLS()); err == nil {
			t.Error("mutual: a client without a certificate is let in")
		}
		c := mutual.TLS()
		c.Certificates = []cryptotls.Certificate{mutual.ClientCertificate()}
		if err := handshake(t, mutual, c); err != nil {
			t.Errorf("mutual: %v", err)
		}
	})
}
