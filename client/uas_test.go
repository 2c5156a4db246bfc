package client

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"biloxi/sip"
)

// uas is a server of text: a script answers each request, retransmissions included. Its lists are guarded
// by mu; the script runs on the goroutine of the socket.
type uas struct {
	t      *testing.T
	addr   netip.AddrPort
	script script

	mu    sync.Mutex
	got   []*seenRequest
	conns int
}

// script returns the messages that answer request number n, from 1. A nil list answers nothing; the
// answer hangUp closes the connection.
type script func(n int, req *seenRequest) [][]byte

var hangUp = []byte("hang up")

// seenRequest is a request with the address that it came from.
type seenRequest struct {
	sip.Message
	from netip.AddrPort
	at   time.Time
	raw  string
}

// answer makes a response by hand and not by package sip, so that the client is not read by its own rules.
func (r *seenRequest) answer(status string, lines ...string) []byte {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, line := range strings.Split(r.raw, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Via":
			value = strings.Replace(value, ";rport", fmt.Sprintf(";received=%s;rport=%d", r.from.Addr(), r.from.Port()), 1)
			b.WriteString("v: " + value + "\r\n")
		case "From", "Call-ID", "CSeq":
			b.WriteString(line + "\r\n")
		case "To":
			b.WriteString(line + ";tag=8321234356\r\n")
		}
	}
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return []byte(b.String())
}

// field is the value of a header field, empty if it is not there.
func (r *seenRequest) field(name string) string {
	for _, line := range strings.Split(r.raw, "\r\n") {
		if n, v, ok := strings.Cut(line, ": "); ok && n == name {
			return v
		}
	}
	return ""
}

func (u *uas) take(b []byte, from netip.AddrPort) [][]byte {
	r := &seenRequest{from: from, at: time.Now(), raw: string(b)}
	if err := r.Parse(bytes.Clone(b)); err != nil {
		u.t.Errorf("the client sent what is no message: %v\n%s", err, b)
		return nil
	}
	var all sip.Request
	if err := all.Decode(&r.Message); err != nil {
		u.t.Errorf("the client sent a bad request: %v\n%s", err, b)
	}
	u.mu.Lock()
	u.got = append(u.got, r)
	n := len(u.got)
	u.mu.Unlock()
	return u.script(n, r)
}

func (u *uas) requests() []*seenRequest {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]*seenRequest(nil), u.got...)
}

// newUAS listens on loopback over the transport.
func newUAS(t *testing.T, transport sip.Transport, cert *tls.Certificate, s script) *uas {
	t.Helper()
	u := &uas{t: t, script: s}
	if transport == sip.UDP {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u.addr = addrPort(pc.LocalAddr())
		u.during(t, pc, func() { u.servePackets(pc) })
		return u
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.addr = addrPort(l.Addr())
	if transport == sip.TLS {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}})
	}
	u.during(t, l, func() { u.serveListener(l) })
	return u
}

// during runs serve until the test ends.
func (u *uas) during(t *testing.T, c io.Closer, serve func()) {
	done := make(chan struct{})
	go func() { defer close(done); serve() }()
	t.Cleanup(func() { c.Close(); <-done })
}

func (u *uas) servePackets(pc net.PacketConn) {
	b := make([]byte, 65536)
	for {
		n, from, err := pc.ReadFrom(b)
		if err != nil {
			return
		}
		for _, out := range u.take(b[:n], addrPort(from)) {
			pc.WriteTo(out, from)
		}
	}
}

func (u *uas) serveListener(l net.Listener) {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		u.mu.Lock()
		u.conns++
		u.mu.Unlock()
		conns.Go(func() { defer conn.Close(); u.serveConn(conn) })
	}
}

func (u *uas) serveConn(conn net.Conn) {
	var in []byte
	b := make([]byte, 4096)
	for {
		n, err := conn.Read(b)
		in = append(in, b[:n]...)
		for {
			end := bytes.Index(in, []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			message := in[:end+4]
			in = in[end+4:]
			for _, out := range u.take(message, addrPort(conn.RemoteAddr())) {
				if bytes.Equal(out, hangUp) {
					return
				}
				conn.Write(out)
			}
		}
		if err != nil {
			return
		}
	}
}

// uri is where the server listens, as --server has it.
func (u *uas) uri(transport sip.Transport) string {
	if transport == sip.TLS {
		return "sips:" + u.addr.String()
	}
	return "sip:" + u.addr.String() + ";transport=" + strings.ToLower(transport.String())
}

// newClient is Bob, with the password zanzibar, and a deadline by which every test is over.
func newClient(t *testing.T, cfg Config) (*Client, context.Context) {
	t.Helper()
	if cfg.AOR == "" {
		cfg.AOR = "sip:bob@biloxi.example.com"
	}
	if cfg.Password == nil {
		cfg.Password = []byte("zanzibar")
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(func() { cancel(); c.Close() })
	return c, ctx
}

var bobsContact = Registration{Contacts: []Contact{{URI: "sip:bob@client.biloxi.example.com"}}}

// credentials reads the digest parameters of an Authorization or Proxy-Authorization value, by hand.
func credentials(value string) map[string]string {
	out := map[string]string{}
	for _, one := range strings.Split(strings.TrimPrefix(value, "Digest "), ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(one), "=")
		out[name] = strings.Trim(v, `"`)
	}
	return out
}

var hashes = map[string]func() hash.Hash{"": md5.New, "MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

// isRight computes the response of RFC 7616 §3.4.1 anew.
func isRight(method, value, username, password string) bool {
	c := credentials(value)
	h := func(parts ...string) string {
		sum := hashes[c["algorithm"]]()
		io.WriteString(sum, strings.Join(parts, ":"))
		return hex.EncodeToString(sum.Sum(nil))
	}
	if c["username"] != username {
		return false
	}
	ha1, ha2 := h(username, c["realm"], password), h(method, c["uri"])
	if c["qop"] == "" {
		return c["response"] == h(ha1, c["nonce"], ha2)
	}
	return c["response"] == h(ha1, c["nonce"], c["nc"], c["cnonce"], c["qop"], ha2)
}

const challengeMD5 = `WWW-Authenticate: Digest realm="atlanta.example.com", qop="auth", nonce="ea9c8e88df84f1cec4341ae6cbe5a359", opaque="", stale=FALSE, algorithm=MD5`

// registrarScript is the registrar of RFC 3665 §2: it challenges whoever has no right credentials, and
// shows the contacts of section 2.2.
func registrarScript(n int, r *seenRequest) [][]byte {
	if !isRight(string(r.Method()), r.field("Authorization"), "bob", "zanzibar") {
		return [][]byte{r.answer("401 Unauthorized", challengeMD5)}
	}
	if r.field("Contact") == "*" {
		return [][]byte{r.answer("200 OK")}
	}
	return [][]byte{r.answer("200 OK", "Contact: <sip:bob@client.biloxi.example.com>;q=0.5;expires=3600;+sip.instance=\"<urn:x>\"",
		"m: <mailto:bob@biloxi.example.com>;expires=4294967295", "Server: text/1")}
}

// always answers every request with one status.
func always(status string, lines ...string) script {
	return func(n int, r *seenRequest) [][]byte { return [][]byte{r.answer(status, lines...)} }
}

// pipes is Config.Dial over net.Pipe, whose deadlines follow the time of a synctest bubble. Every Write is
// one datagram.
type pipes struct {
	u *uas
	t *testing.T
}

func (p pipes) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	local := netip.MustParseAddrPort("192.0.2.201:5060")
	remote, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	if remote.Addr().Is6() {
		local = netip.MustParseAddrPort("[2001:db8::9:1]:5060")
	}
	p.u.during(p.t, theirs, func() {
		b := make([]byte, 65536)
		for {
			n, err := theirs.Read(b)
			if err != nil {
				return
			}
			for _, out := range p.u.take(b[:n], local) {
				theirs.Write(out)
			}
		}
	})
	return addressed{ours, local, remote}, nil
}

// addressed is a connection with the addresses that a test gives it.
type addressed struct {
	net.Conn
	local, remote netip.AddrPort
}

func (a addressed) LocalAddr() net.Addr  { return net.UDPAddrFromAddrPort(a.local) }
func (a addressed) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(a.remote) }

var errNoNetwork = errors.New("no network in this test")
