//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// sipp runs a scenario for a user, calls times.
func sipp(t *testing.T, r *registrar, transport sip.Transport, scenario, user string, calls int) *process {
	t.Helper()
	dir := t.TempDir()
	users := filepath.Join(dir, "users.csv")
	write(t, users, fmt.Sprintf("SEQUENTIAL\n%s;[authentication username=%[1]s password=%[2]s];\n", user, bed.Password(user)))
	scenario, err := filepath.Abs(filepath.Join("sipp", scenario))
	if err != nil {
		t.Fatal(err)
	}
	// Debian's sipp is built without TLS: its bytes are carried through it.
	to, mode := r.addr[transport], "u1"
	switch transport {
	case sip.TCP:
		mode = "t1"
	case sip.TLS:
		to, mode = r.throughTLS(t), "t1"
	}
	return run(t, dir, []string{"TERM=dumb"}, program(t, "sipp"), to.String(), "-sf", scenario, "-inf", users, "-key", "via", transport.String(),
		"-t", mode, "-i", "127.0.0.1", "-m", fmt.Sprint(calls), "-l", "1", "-nostdin", "-timeout", "30s", "-timeout_error", "-trace_err", "-error_file", filepath.Join(dir, "errors"))
}

// TestSipp registers, refreshes, queries and unregisters.
func TestSipp(t *testing.T) {
	r := startRegistrar(t)
	transports(t, func(t *testing.T, transport sip.Transport) {
		p := sipp(t, r, transport, "life.xml", "bob", 5)
		if err := p.wait(40 * time.Second); err != nil {
			t.Errorf("sipp: %v", err)
		}
		r.look(t, "bob").Bound()
	})
}
