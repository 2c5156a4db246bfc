package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// answers is a server of text on loopback: each request gets the next status line with header fields, the
// last one again and again. It returns its port.
func answers(t *testing.T, list ...string) int {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-done })
	go func() {
		defer close(done)
		b := make([]byte, 65536)
		for n := 0; ; n++ {
			size, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			pc.WriteTo(answer(string(b[:size]), list[min(n, len(list)-1)]), from)
		}
	}()
	return pc.LocalAddr().(*net.UDPAddr).Port
}

func answer(request, lines string) []byte {
	status, more, _ := strings.Cut(lines, "\n")
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, line := range strings.Split(request, "\r\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			b.WriteString(line + "\r\n")
		case "To":
			b.WriteString(line + ";tag=8321234356\r\n")
		}
	}
	for _, line := range strings.Split(more, "\n") {
		if line != "" {
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return []byte(b.String())
}

const (
	challenged = "401 Unauthorized\nWWW-Authenticate: Digest realm=\"biloxi.example.com\", nonce=\"ea9c8e88\", qop=\"auth\", algorithm=SHA-256"
	bindings   = "200 OK\nContact: <sip:bob@192.0.2.4>;q=0.5;expires=3600\nContact: <mailto:bob@biloxi.example.com>;expires=4294967295"
)

// biloxi runs the program with the password zanzibar on its standard input.
func biloxi(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	c := &console{In: strings.NewReader("zanzibar\r\nmore\n"), Out: &o, Err: &e}
	code = run(args, c)
	return code, o.String(), e.String()
}

func TestClientCommands(t *testing.T) {
	const bob = "sip:bob@biloxi.example.com"
	for _, test := range []struct {
		name    string
		args    []string
		answers []string
		code    int
		out     string // whole
		errs    string // part
	}{
		{"register", []string{"register", bob, "--contact", "sip:bob@192.0.2.4", "--expires", "1h", "--password-file", "-"},
			[]string{challenged, bindings}, 0,
			"CONTACT                        EXPIRES     Q\n" +
				"sip:bob@192.0.2.4              3600        0.5\n" +
				"mailto:bob@biloxi.example.com  4294967295  -\n", ""},
		{"contacts", []string{"contacts", "bob@biloxi.example.com"}, []string{bindings + "\nContact: <sip:c>;a;b=\"c\""}, 0,
			"CONTACT                        EXPIRES     Q    PARAMETERS\n" +
				"sip:bob@192.0.2.4              3600        0.5  \n" +
				"mailto:bob@biloxi.example.com  4294967295  -    \n" +
				"sip:c                          -           -    a;b=\"c\"\n", ""},
		{"no contacts", []string{"unregister", bob, "--all"}, []string{"200 OK"}, 0, bob + " has no contacts.\n", ""},
		{"unregister one", []string{"unregister", bob, "--contact", "sip:bob@192.0.2.4"}, []string{"200 OK"}, 0, bob + " has no contacts.\n", ""},
		{"options", []string{"options", "sip:biloxi.example.com"}, []string{"200 OK\nAllow: REGISTER, OPTIONS\nServer: x\x1b[2J"}, 0,
			"200 OK from 127.0.0.1:PORT\nServer:    x?[2J\nAllow:     REGISTER, OPTIONS\n", ""},

		{"no password", []string{"contacts", bob}, []string{challenged}, 1, "", "--password-file"},
		{"wrong password", []string{"contacts", bob, "--password-file", "-"}, []string{challenged}, 1, "", "wrong password or unknown user"},
		{"not the owner", []string{"contacts", bob, "--username", "alice"}, []string{"403 Forbidden"}, 1, "", `"alice" may not act for ` + bob},
		{"unknown", []string{"contacts", bob}, []string{"404 Not Found"}, 1, "", "does not know " + bob},
		{"too brief", []string{"register", bob, "--contact", "sip:a@b", "--expires", "60"}, []string{"423 Interval Too Brief\nMin-Expires: 300"}, 1, "", "--expires 300"},
		{"overload", []string{"contacts", bob}, []string{"503 Service Unavailable\nRetry-After: 30"}, 1, "", "try again after 30s"},
		{"moved", []string{"contacts", bob}, []string{"302 Moved\nContact: <sip:ss3.biloxi.example.com>"}, 1, "", "ask at sip:ss3.biloxi.example.com"},

		{"no contact", []string{"register", bob}, []string{"200 OK"}, 2, "", "--contact"},
		{"contact that is none", []string{"register", bob, "--contact", "bob"}, []string{"200 OK"}, 2, "", "--contact"},
		{"no expiry", []string{"register", bob, "--contact", "sip:a@b", "--expires", "0"}, []string{"200 OK"}, 2, "", "unregister"},
		{"expiry that is none", []string{"register", bob, "--contact", "sip:a@b", "--expires", "soon"}, []string{"200 OK"}, 2, "", `"soon" is not a duration`},
		{"neither", []string{"unregister", bob}, []string{"200 OK"}, 2, "", "--all"},
		{"both", []string{"unregister", bob, "--all", "--contact", "sip:a@b"}, []string{"200 OK"}, 2, "", "together"},
		{"address that is none", []string{"contacts", "bob"}, []string{"200 OK"}, 2, "", "address of record"},
		{"certificate without key", []string{"contacts", bob, "--cert", "x"}, []string{"200 OK"}, 2, "", "--cert and --key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			port := answers(t, test.answers...)
			code, out, errs := biloxi(append(test.args, "--server", fmt.Sprintf("sip:127.0.0.1:%d", port))...)
			out = strings.ReplaceAll(out, fmt.Sprint(":", port), ":PORT")
			if code != test.code || out != test.out || !strings.Contains(errs, test.errs) || (errs == "") != (code == 0) {
				t.Errorf("exit %d\n%s\n%s", code, out, errs)
			}
			if code == 1 && strings.Count(errs, "\n") != 1 {
				t.Errorf("not one line: %q", errs)
			}
		})
	}
}

func TestClientFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server := fmt.Sprintf("--server=sip:127.0.0.1:%d", answers(t, challenged, bindings))
	query := []string{"contacts", "sip:bob@biloxi.example.com", server}
	for _, test := range []struct {
		flag string
		errs string
		code int
	}{
		{"--password-file=" + write("good", "zanzibar\n"), "", 0},
		{"--password-file=" + write("empty", "\nzanzibar"), "empty", 1},
		{"--password-file=" + write("large", strings.Repeat("x", maxPassword+1)), "bytes", 1},
		{"--password-file=" + filepath.Join(dir, "none"), "no such file", 1},
		{"--ca=" + write("ca", "not PEM"), "no certificate", 1},
		{"--ca=" + filepath.Join(dir, "none"), "no such file", 1},
	} {
		if code, _, errs := biloxi(append(query, test.flag)...); code != test.code || !strings.Contains(errs, test.errs) {
			t.Errorf("%s: exit %d, %s", test.flag, code, errs)
		}
	}
}

func TestClientJSON(t *testing.T) {
	server := fmt.Sprintf("--server=sip:127.0.0.1:%d", answers(t, challenged, bindings, "404 Not Found"))
	query := []string{"contacts", "sip:bob@biloxi.example.com", "--json", "--trace", "--password-file=-", server}
	code, out, errs := biloxi(query...)
	var got resultJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if got.Status != 200 || got.Requests != 2 || len(got.Contacts) != 2 || *got.Contacts[1].Expires != 4294967295 || got.Contacts[0].Q != "0.5" ||
		got.Transport != "udp" {
		t.Errorf("%s", out)
	}
	if !strings.Contains(errs, "REGISTER F1 UDP") {
		t.Errorf("no ladder on standard error: %s", errs)
	}
	code, out, errs = biloxi(query...)
	got = resultJSON{}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 1 || got.Status != 404 || got.Error == "" || got.Contacts == nil || errs == "" {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

// The ladder of a registration, as a file; what is random in it is made the same.
func TestClientTrace(t *testing.T) {
	port := answers(t, challenged, bindings)
	code, out, _ := biloxi("register", "sip:bob@biloxi.example.com", "--contact", "sip:bob@192.0.2.4", "--trace", "--password-file=-",
		fmt.Sprintf("--server=sip:127.0.0.1:%d", port))
	if code != 0 || strings.Contains(out, "zanzibar") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	for _, same := range []struct{ pattern, text string }{
		{`branch=z9hG4bK[0-9a-f]+`, "branch=z9hG4bK1"},
		{`tag=[0-9a-f]{16}`, "tag=1"},
		{`Call-ID: \w+`, "Call-ID: 1"},
		{`cnonce="\w+"`, `cnonce="1"`},
		{`response="\w+"`, `response="1"`},
		{`127.0.0.1:\d+`, "127.0.0.1:5060"},
		{`User-Agent: .*`, "User-Agent: biloxi"},
	} {
		out = regexp.MustCompile(same.pattern).ReplaceAllString(out, same.text)
	}
	path := filepath.Join("testdata", "trace.txt")
	if os.Getenv("BILOXI_GOLDEN") == "write" {
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("%s differs; got:\n%s", path, out)
	}
}

// A retransmission is drawn as such, and its message is not listed again.
func TestClientTraceOfSilence(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	code, out, errs := biloxi("options", "sip:"+pc.LocalAddr().String(), "--trace", "--timeout=600ms")
	if code != 1 || !strings.Contains(errs, "no answer within") || !strings.Contains(out, "OPTIONS F2 UDP (F1 again)") ||
		strings.Count(out, "Max-Forwards") != 1 {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
}

func TestClientRefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, transport := range []string{"udp", "tcp", "tls"} {
		code, _, errs := biloxi("options", fmt.Sprintf("sip:%s;transport=%s", l.Addr(), transport))
		if code != 1 || !strings.Contains(errs, "is the server running at") {
			t.Errorf("%s: exit %d, %s", transport, code, errs)
		}
	}
}

// A server that hangs up, as one that speaks TLS does to plain text.
func TestClientHungUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadFull(conn, make([]byte, 5))
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	for _, transport := range []string{"tcp", "tls"} {
		code, _, errs := biloxi("options", fmt.Sprintf("sip:%s;transport=%s", l.Addr(), transport))
		if code != 1 || !strings.Contains(errs, "are port and transport right?") {
			t.Errorf("%s: exit %d, %s", transport, code, errs)
		}
	}
}

func TestClientOverTLS(t *testing.T) {
	dir := t.TempDir()
	port, ca := secureServer(t, dir, bindings)
	_, other := secureServer(t, t.TempDir(), bindings)
	server := fmt.Sprintf("--server=sips:127.0.0.1:%d", port)
	code, out, errs := biloxi("contacts", "sips:bob@biloxi.example.com", server, "--ca", ca)
	if code != 0 || !strings.Contains(out, "sip:bob@192.0.2.4") {
		t.Errorf("exit %d, %s", code, errs)
	}
	code, _, errs = biloxi("contacts", "sips:bob@biloxi.example.com", server)
	if code != 1 || !strings.Contains(errs, "--ca FILE") {
		t.Errorf("without --ca: exit %d, %s", code, errs)
	}
	code, _, errs = biloxi("contacts", "sips:bob@biloxi.example.com", server, "--ca", other)
	if code != 1 || !strings.Contains(errs, "is not the authority that signed it") {
		t.Errorf("with another CA: exit %d, %s", code, errs)
	}
	code, _, errs = biloxi("contacts", "sips:bob@atlanta.example.com", server, "--ca", ca)
	if code != 1 || !strings.Contains(errs, "it is for biloxi.example.com, and not for 127.0.0.1 or atlanta.example.com") {
		t.Errorf("for another domain: exit %d, %s", code, errs)
	}
	code, _, errs = biloxi("contacts", "sips:bob@biloxi.example.com", fmt.Sprintf("--server=sip:127.0.0.1:%d", port))
	if code != 1 || !strings.Contains(errs, "needs a server that is reached by TLS") {
		t.Errorf("sips without TLS: exit %d, %s", code, errs)
	}
}

// secureServer is answers over TLS, with a certificate for biloxi.example.com, which it writes to a file.
func secureServer(t *testing.T, dir, text string) (port int, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"biloxi.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 65536)
			if n, err := conn.Read(b); err == nil {
				conn.Write(answer(string(b[:n]), text))
				conn.Read(b) // until the client closes
			}
			conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, ca
}

func TestClientHelpHasExamples(t *testing.T) {
	for _, command := range []string{"register", "contacts", "unregister", "options"} {
		code, out, _ := biloxi(command, "--help")
		if code != 0 || !strings.Contains(out, "Examples:") || !strings.Contains(out, "biloxi "+command+" sip") {
			t.Errorf("%s --help: exit %d\n%s", command, code, out)
		}
	}
}
