//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// sipsak runs sipsak in its usrloc mode for a user.
func sipsak(t *testing.T, r *registrar, transport sip.Transport, user string, args ...string) {
	t.Helper()
	args = append([]string{"-U", "-vvv", "-u", user, "-a", bed.Password(user), "-E", strings.ToLower(transport.String()),
		"-p", r.addr[transport].String(), "-s", fmt.Sprintf("sip:%s@%s", user, bed.Domain)}, args...)
	p := run(t, t.TempDir(), nil, program(t, "sipsak"), args...)
	if err := p.wait(20 * time.Second); err != nil {
		t.Fatalf("sipsak %s: %v", strings.Join(args, " "), err)
	}
}

// TestSipsak registers with its usrloc mode, refreshes, and removes one and all. Not over TLS: docs/peers.md
// says why.
func TestSipsak(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t)
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP} {
		t.Run(transport.String(), func(t *testing.T) {
			look := r.look(t, "u2")
			const one, two = "sip:u2@192.0.2.1:5070", "sip:u2@192.0.2.2"
			sipsak(t, r, transport, "u2", "-C", one, "-x", "60")
			look.Query().Expect(200).Bound(one).Lasts(one, 60, 2)
			sipsak(t, r, transport, "u2", "-C", one, "-x", "300")
			look.Query().Expect(200).Bound(one).Lasts(one, 300, 2)
			sipsak(t, r, transport, "u2", "-C", two, "-x", "60")
			look.Bound(one, two)
			sipsak(t, r, transport, "u2", "-C", two, "-x", "0")
			look.Bound(one)
			sipsak(t, r, transport, "u2", "-C", "*", "-x", "0")
			look.Bound()
		})
	}
}
