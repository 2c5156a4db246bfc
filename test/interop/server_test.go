//go:build interop

package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/test/bed"
)

// registrar is a server that runs, in process or as a process of its own.
type registrar struct {
	addr map[sip.Transport]netip.AddrPort
	ca   string
	data string       // its folder, if it is a process
	bed  *bed.Bed     // that it runs in, if not
	next atomic.Int32 // of the users that no test has taken
}

// users are provisioned beside alice and bob: u0, u1 …
const users = 40

// user takes a user that no other test of this server has.
func (r *registrar) user(t *testing.T) string {
	t.Helper()
	if r.bed != nil {
		return r.bed.User()
	}
	n := r.next.Add(1)
	if n > users {
		t.Fatal("no user is left: raise users")
	}
	return fmt.Sprint("u", n-1)
}

// The shortest expiry, so that refreshes can be waited for.
const minExpires = 2 * time.Second

func startRegistrar(t *testing.T, algorithms ...sip.Algorithm) *registrar {
	t.Helper()
	if len(algorithms) == 0 {
		for _, a := range config.DefaultAlgorithms {
			algorithms = append(algorithms, sip.Algorithm(a))
		}
	}
	if os.Getenv("BILOXI") != "" {
		return startProcess(t, os.Getenv("BILOXI"), algorithms)
	}
	b := bed.Start(t, bed.Options{Names: []string{bed.Domain, "localhost", bed.Host}, Config: func(c *config.Config) {
		c.Domains[0].Aliases = append(c.Domains[0].Aliases, "localhost")
		c.Domains[0].Algorithms = nil
		for _, a := range algorithms {
			c.Domains[0].Algorithms = append(c.Domains[0].Algorithms, config.Algorithm(a))
		}
		c.Registrar.MinExpires = config.Duration(minExpires)
	}})
	r := &registrar{ca: b.CA, bed: b, addr: map[sip.Transport]netip.AddrPort{}}
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		r.addr[transport] = b.Addr(transport)
	}
	return r
}

// startProcess runs the binary: it imports the subscribers and serves.
func startProcess(t *testing.T, binary string, algorithms []sip.Algorithm) *registrar {
	t.Helper()
	dir := t.TempDir()
	ca := bed.NewAuthority(t, dir)
	r := &registrar{ca: ca.File, data: filepath.Join(dir, "data"), addr: map[sip.Transport]netip.AddrPort{}}
	certificate, key := ca.Files(dir, bed.Domain, bed.Host, "localhost", "127.0.0.1")
	var names []string
	for _, a := range algorithms {
		names = append(names, fmt.Sprintf("%q", a))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "data = %q\n[[domain]]\nname = %q\nrealm = %q\naliases = [%q, \"127.0.0.1\", \"localhost\"]\nalgorithms = [%s]\n",
		r.data, bed.Domain, bed.Realm, bed.Host, strings.Join(names, ", "))
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		r.addr[transport] = freePort(t, transport)
		fmt.Fprintf(&text, "[[listen]]\ntransport = %q\naddress = %q\n", strings.ToLower(transport.String()), r.addr[transport])
	}
	fmt.Fprintf(&text, "[tls]\ncertificate = %q\nkey = %q\n[registrar]\nmin_expires = %q\n", certificate, key, minExpires)
	file, list := filepath.Join(dir, "biloxi.toml"), filepath.Join(dir, "users.csv")
	write(t, file, text.String())
	var csv strings.Builder
	add := func(user string) { fmt.Fprintf(&csv, "sip:%s@%s,%s\n", user, bed.Domain, bed.Password(user)) }
	add("alice")
	add("bob")
	for i := range users {
		add(fmt.Sprint("u", i))
	}
	write(t, list, csv.String())
	if out, err := exec.Command(binary, "subscriber", "import", "--config", file, list).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	p := run(t, dir, nil, binary, "serve", "--config", file)
	t.Cleanup(func() {
		p.signal(syscall.SIGTERM)
		if err := p.wait(15 * time.Second); err != nil {
			t.Errorf("biloxi serve ends with %v\n%s", err, p.output())
		}
	})
	eventually(t, 15*time.Second, "the server answers", func() bool {
		c, err := net.Dial("tcp", r.addr[sip.TCP].String())
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return r
}

// freePort is an address that nobody listens to just now.
func freePort(t *testing.T, transport sip.Transport) netip.AddrPort {
	t.Helper()
	if transport == sip.UDP {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return netip.MustParseAddrPort(c.LocalAddr().String())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

// look returns a phone that can ask what is bound to a user.
func (r *registrar) look(t *testing.T, user string) *siptest.Phone {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return siptest.NewPhone(t, siptest.OverPacket(c, r.addr[sip.UDP]), user, bed.Domain, bed.Password(user))
}

// count waits until a user has so many bindings, and returns them.
func (r *registrar) count(t *testing.T, p *siptest.Phone, n int) []siptest.Binding {
	t.Helper()
	var list []siptest.Binding
	eventually(t, 20*time.Second, fmt.Sprintf("%s has %d bindings", p.User, n), func() bool {
		list = p.Query().Expect(200).Contacts()
		return len(list) == n
	})
	return list
}

// throughTLS carries a TCP client's bytes to the server through TLS, for a client that has no TLS.
func (r *registrar) throughTLS(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dialer := r.dialer(t)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := dialer.DialContext(ctx, "tcp", r.addr[sip.TLS].String())
			if err != nil {
				near.Close()
				continue
			}
			go carry(near, far)
			go carry(far, near)
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

// dialer dials the server over TLS, and verifies its certificate.
func (r *registrar) dialer(t *testing.T) *tls.Dialer {
	t.Helper()
	pem, err := os.ReadFile(r.ca)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Dialer{Config: &tls.Config{RootCAs: certPool(t, pem), ServerName: bed.Host}}
}

// transports calls fn for each transport.
func transports(t *testing.T, fn func(t *testing.T, transport sip.Transport)) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		t.Run(transport.String(), func(t *testing.T) { fn(t, transport) })
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what another process is about to do.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in %v it has not come to this: %s", limit, what)
		}
	}
}
