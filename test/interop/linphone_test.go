//go:build interop

package interop

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// linphone runs linphone's console program, which registers a user. It matches no IP address in a
// certificate, so it is told the server's name, and its address by maddr.
func linphone(t *testing.T, r *registrar, transport sip.Transport, user string, seconds int) *process {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".local/share/linphone"), 0o700); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(home, "linphonerc")
	write(t, rc, fmt.Sprintf(`[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
root_ca=%s
verify_server_certs=1
verify_server_cn=1
default_proxy=0
[proxy_0]
reg_proxy=<sip:%s:%d;maddr=127.0.0.1;transport=%s>
reg_identity=sip:%s@%[2]s
reg_expires=%[6]d
reg_sendregister=1
publish=0
[auth_info_0]
username=%[5]s
passwd=%[7]s
realm=%[8]s
domain=%[2]s
`, r.ca, bed.Domain, r.addr[transport].Port(), strings.ToLower(transport.String()), user, seconds, bed.Password(user), bed.Realm))
	p := run(t, home, []string{"HOME=" + home}, program(t, "linphonec"), "-c", rc, "-d", "6", "-l", filepath.Join(home, "log"))
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(home, "log")); err == nil && t.Failed() {
			t.Logf("linphone's log:\n%s", log)
		}
	})
	return p
}

// TestLinphone registers, refreshes and, when told to quit, unregisters; with MD5, as a server offers by
// default, and with SHA-256.
func TestLinphone(t *testing.T) {
	for _, algorithm := range []sip.Algorithm{sip.MD5, sip.SHA256} {
		t.Run(algorithm.String(), func(t *testing.T) {
			r := startRegistrar(t, algorithm)
			transports(t, func(t *testing.T, transport sip.Transport) {
				look := r.look(t, "u1")
				r.count(t, look, 0)
				p := linphone(t, r, transport, "u1", 6)
				b := r.count(t, look, 1)[0]
				least := int64(6)
				eventually(t, 20*time.Second, "a refresh", func() bool {
					left := look.Query().Expect(200).Binding(b.URI).Expires
					refreshed := left > least
					least = min(least, left)
					return refreshed
				})
				io.WriteString(p.stdin, "quit\n")
				r.count(t, look, 0)
				p.wait(10 * time.Second)
			})
		})
	}
}
