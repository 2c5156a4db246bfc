//go:build interop

package interop

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"biloxi/sip"
	"biloxi/test/bed"
)

// sippRun is a sipp at work, in a folder with the files that it counts in.
type sippRun struct {
	*process
	dir  string
	addr netip.AddrPort // its own
}

// startSipp runs a scenario so many times. Debian's sipp is built without TLS: its bytes are carried through it.
func startSipp(t *testing.T, transport sip.Transport, scenario string, calls int, args ...string) *sippRun {
	t.Helper()
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join("sipp", scenario))
	if err != nil {
		t.Fatal(err)
	}
	mode := "t1"
	if transport == sip.UDP {
		mode = "u1"
	}
	// Without -p it takes port 5060, where whoever sends without thinking sends to.
	s := &sippRun{dir: dir, addr: freePort(t, transport)}
	args = append([]string{"-sf", file, "-key", "via", transport.String(), "-t", mode, "-i", "127.0.0.1", "-p", fmt.Sprint(s.addr.Port()),
		"-m", fmt.Sprint(calls), "-nostdin", "-timeout", "90s", "-timeout_error", "-fd", "3600", "-trace_stat", "-stf", "statistics.csv",
		"-trace_counts", "-trace_err", "-error_file", filepath.Join(dir, "errors")}, args...)
	s.process = run(t, dir, []string{"TERM=dumb"}, program(t, "sipp"), args...)
	return s
}

// remote is where a sipp is to send to for a transport.
func (r *registrar) remote(t *testing.T, transport sip.Transport) netip.AddrPort {
	if transport == sip.TLS {
		return r.throughTLS(t)
	}
	return r.addr[transport]
}

// sippCaller runs a scenario that begins calls, for a user.
func sippCaller(t *testing.T, r *registrar, transport sip.Transport, scenario, user string, calls int, args ...string) *sippRun {
	t.Helper()
	users := filepath.Join(t.TempDir(), "users.csv")
	write(t, users, fmt.Sprintf("SEQUENTIAL\n%s;[authentication username=%[1]s password=%[2]s];\n", user, bed.Password(user)))
	return startSipp(t, transport, scenario, calls, append([]string{r.remote(t, transport).String(), "-inf", users}, args...)...)
}

// counted is what a run has counted of each message of its scenario, when it is over: 3_ACK_Recv and the like.
func (s *sippRun) counted(t *testing.T) map[string]int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.dir, "*_counts.csv"))
	if err != nil || len(found) != 1 {
		t.Fatalf("counts in %v: %v", found, err)
	}
	return lastRow(t, found[0])
}

// statistics is what a run has counted of all its calls, when it is over.
func (s *sippRun) statistics(t *testing.T) map[string]int {
	t.Helper()
	return lastRow(t, filepath.Join(s.dir, "statistics.csv"))
}

// lastRow reads the numbers of a table's last row, by the heads of their columns.
func lastRow(t *testing.T, file string) map[string]int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	heads, cells := strings.Split(lines[0], ";"), strings.Split(lines[len(lines)-1], ";")
	row := map[string]int{}
	for i, cell := range cells {
		if n, err := strconv.Atoi(cell); err == nil && i < len(heads) {
			row[heads[i]] = n
		}
	}
	return row
}

// done waits for the end of a run, all of whose calls must have gone well.
func (s *sippRun) done(t *testing.T, limit time.Duration) {
	t.Helper()
	if err := s.wait(limit); err != nil {
		t.Errorf("sipp: %v", err)
		s.showErrors(t)
	}
}

// showErrors logs the first of what sipp found wrong.
func (s *sippRun) showErrors(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "errors"))
	if err == nil {
		t.Logf("sipp's errors:\n%s", b[:min(len(b), 1500)])
	}
}

// TestSipp registers, refreshes, queries and unregisters.
func TestSipp(t *testing.T) {
	t.Parallel()
	r := startRegistrar(t)
	transports(t, func(t *testing.T, transport sip.Transport) {
		sippCaller(t, r, transport, "life.xml", "bob", 5, "-l", "1").done(t, 100*time.Second)
		r.look(t, "bob").Bound()
	})
}
