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

// linphone runs linphone's console program, which registers a user. It matches no IP address in a certificate, so it
// is told the server's name: one that it finds without DNS. It gets no sound card, and calls by way of the server.
func linphone(t *testing.T, r *registrar, transport sip.Transport, user string, seconds int) *linphonec {
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
[rtp]
audio_rtp_port=-1
[proxy_0]
reg_proxy=<%[2]s>
reg_route=<%[2]s;lr>
reg_identity=sip:%[3]s@%[4]s
reg_expires=%[5]d
reg_sendregister=1
publish=0
[auth_info_0]
username=%[3]s
passwd=%[6]s
realm=%[7]s
domain=%[4]s
`, r.ca, fmt.Sprintf("sip:localhost:%d;transport=%s", r.addr[transport].Port(), strings.ToLower(transport.String())), user, bed.Domain,
		seconds, bed.Password(user), bed.Realm))
	p := &linphonec{log: filepath.Join(home, "log")}
	p.process = run(t, home, []string{"HOME=" + home}, program(t, "linphonec"), "-c", rc, "-d", "6", "-l", p.log)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("linphone's log:\n%s", p.readLog())
		}
	})
	p.say("soundcard use files")
	return p
}

// linphonec is linphone's console program.
type linphonec struct {
	*process
	log string // file with all that it does and all its messages
}

// say gives a command.
func (p *linphonec) say(command string) { io.WriteString(p.stdin, command+"\n") }

// readLog is the log as far as it is written.
func (p *linphonec) readLog() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	return string(b)
}

// TestLinphone registers, refreshes and, when told to quit, unregisters; with MD5, as a server offers by
// default, and with SHA-256.
func TestLinphone(t *testing.T) {
	t.Parallel()
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
				p.say("quit")
				r.count(t, look, 0)
				p.wait(10 * time.Second)
			})
		})
	}
}
