package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
)

// streamServer answers as a peer does, over connections. After so many messages of one, if there is a limit, it does
// not answer, or closes the connection.
type streamServer struct {
	limit  int
	closes bool
}

func (s streamServer) listen(t *testing.T, tr sip.Transport) (netip.AddrPort, *tls.Config) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	at := l.Addr().(*net.TCPAddr).AddrPort()
	var client *tls.Config
	if tr == sip.TLS {
		cert := selfSigned(t)
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		client = &tls.Config{InsecureSkipVerify: true}
	}
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { nc.Close() })
			go s.serve(nc)
		}
	}()
	return at, client
}

// serve answers in pieces: the end of each answer leaves with the beginning of the next one.
func (s streamServer) serve(nc net.Conn) {
	defer nc.Close()
	p := newPeer()
	var in []byte
	for n := 0; ; {
		skip, length, _, err := sip.Frame(in, maxHead, maxBody)
		if err != nil {
			return
		}
		if length == 0 {
			buf := make([]byte, 4096)
			n, err := nc.Read(buf)
			if err != nil {
				return
			}
			in = append(in[skip:], buf[:n]...)
			continue
		}
		if n++; s.limit != 0 && n > s.limit {
			if s.closes {
				return
			}
			in = in[skip+length:]
			continue
		}
		p.send(in[skip : skip+length])
		if p.flush() != nil {
			return
		}
		in = in[skip+length:]
		for _, b := range p.in {
			for len(b) > 0 {
				k := min(len(b), 100)
				nc.Write(b[:k])
				b = b[k:]
			}
		}
		p.in = p.in[:0]
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// streamConfig is config over connections.
func streamConfig(t *testing.T, s Scenario, tr sip.Transport, server streamServer) Config {
	cfg := config(s)
	cfg.Transport, cfg.Workers, cfg.Concurrency = tr, 3, 6
	cfg.Server, cfg.TLS = server.listen(t, tr)
	return cfg
}

func TestStreams(t *testing.T) {
	for _, tr := range []sip.Transport{sip.TCP, sip.TLS} {
		for name, c := range map[string]struct {
			scenario Scenario
			rate     float64
		}{
			"closed loop":          {Options, 0},
			"open loop":            {Options, 1000},
			"registered before":    {Refresh, 0},
			"a challenge for each": {Register, 0},
		} {
			t.Run(tr.String()+" "+name, func(t *testing.T) {
				cfg := streamConfig(t, c.scenario, tr, streamServer{})
				cfg.Rate = c.rate
				res, err := Run(context.Background(), cfg)
				if err != nil || !res.OK() || res.Operations != 100 {
					t.Fatalf("%v: %+v", err, res)
				}
			})
		}
		t.Run(tr.String()+" closed by the server", func(t *testing.T) {
			res, err := Run(context.Background(), streamConfig(t, Options, tr, streamServer{limit: 5, closes: true}))
			if !errors.Is(err, errClosed) && (err == nil || !strings.Contains(err.Error(), "reset")) || !strings.Contains(err.Error(), "socket ") {
				t.Errorf("the error is %v", err)
			}
			if res == nil || res.Operations == 0 || res.OK() {
				t.Errorf("%+v", res)
			}
		})
		t.Run(tr.String()+" not answered", func(t *testing.T) {
			cfg := streamConfig(t, Options, tr, streamServer{limit: 5})
			cfg.T1 = 10 * time.Millisecond // Timer F is 640 ms
			cfg.Count, cfg.Duration = 0, 100*time.Millisecond
			res, err := Run(context.Background(), cfg)
			if err != nil || res.Unanswered != 6 || res.Operations != 15 {
				t.Errorf("%v: %+v", err, res)
			}
		})
	}
}
