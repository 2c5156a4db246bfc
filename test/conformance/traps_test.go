package conformance

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// serveEnv names the data folder that this test binary serves instead of running its tests.
const serveEnv = "BILOXI_TEST_SERVE"

// TestServe is the other process of TestKill and TestFullDisk: it serves until it is killed, or its input
// ends. A line "full" on its input has every write to a file fail, and "free" undoes that.
func TestServe(t *testing.T) {
	data := os.Getenv(serveEnv)
	if data == "" {
		t.Log("only TestKill starts this")
		return
	}
	_, err := os.Stat(data + "/subscribers.db")
	b := bed.Start(t, bed.Options{Data: data, Keep: err == nil})
	fmt.Printf("\nserving %s\n", b.Addr(udp))
	signal.Ignore(syscall.SIGXFSZ)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		if limit.Cur = limit.Max; in.Text() == "full" {
			limit.Cur = 0
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\ndone\n")
	}
}

// TestKill: what was acknowledged is there after kill -9, again and again.
func TestKill(t *testing.T) {
	t.Run("T12", func(t *testing.T) {
		data := t.TempDir()
		var bound []string
		for i := range 4 {
			s := serve(t, data)
			p := s.phone(t)
			if i > 0 {
				p.Bound(bound...)
			}
			bound = append(bound, fmt.Sprintf("sip:bob@192.0.2.%d", i+1))
			p.Register(Contact("<" + bound[i] + ">")).Expect(200)
			s.kill(t)
		}
		s := serve(t, data)
		p := s.phone(t)
		p.Bound(bound...)
		p.Register(Contact("*"), Expires(0)).Expect(200)
		s.kill(t)
		s = serve(t, data)
		s.phone(t).Bound()
		s.kill(t)
	})
}

// TestFullDisk: what cannot be written is not acknowledged, and is not there; the server lives, and goes on
// when the disk does.
func TestFullDisk(t *testing.T) {
	t.Run("T13/RG-040/HD-009/HD-017", func(t *testing.T) {
		const one, two = "sip:one@192.0.2.1", "sip:two@192.0.2.2"
		s := serve(t, t.TempDir())
		p := s.phone(t)
		p.Register(Contact("<" + one + ">")).Expect(200)
		s.tell(t, "full")
		for range 3 {
			r := p.Register(Contact("<"+two+">", "<"+one+">;expires=0")).Expect(500, 503)
			if r.Lacks("Contact").Header("Retry-After") == "" {
				r.Fatalf("no Retry-After")
			}
		}
		p.Once(Method("OPTIONS")).Expect(200)
		p.Bound(one)
		s.tell(t, "free")
		for end := time.Now().Add(20 * time.Second); p.Register(Contact("<"+two+">")).Status() != 200; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it does not go on")
			}
		}
		p.Bound(one, two)
		s.kill(t)
		serve(t, s.data).phone(t).Bound(one, two)
	})
}

// process is a server in a process of its own.
type process struct {
	cmd   *exec.Cmd
	data  string
	addr  string
	in    io.Writer
	lines *bufio.Scanner // that it prints
}

func serve(t *testing.T, data string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestServe$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), serveEnv+"="+data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s := &process{cmd: cmd, data: data, in: in, lines: bufio.NewScanner(out)}
	s.addr = s.wait(t, "serving ")
	return s
}

// wait waits for a line that begins so, and returns the rest of it.
func (s *process) wait(t *testing.T, begin string) string {
	t.Helper()
	var all []string
	for s.lines.Scan() {
		if rest, ok := strings.CutPrefix(s.lines.Text(), begin); ok {
			return rest
		}
		all = append(all, s.lines.Text())
	}
	t.Fatalf("the server ends:\n%s", strings.Join(all, "\n"))
	return ""
}

// tell has the server's process do what a line says.
func (s *process) tell(t *testing.T, line string) {
	t.Helper()
	if _, err := fmt.Fprintln(s.in, line); err != nil {
		t.Fatal(err)
	}
	s.wait(t, "done")
}

func (s *process) phone(t *testing.T) *Phone {
	t.Helper()
	return NewPhone(t, dialUDP(t, s.addr), "bob", bed.Domain, bed.Password("bob"))
}

func (s *process) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.cmd.Wait()
}

// TestReload: certificates can be renewed for ever.
func TestReload(t *testing.T) {
	b := start(t)
	t.Run("T16", func(t *testing.T) {
		const reloads = 10_000
		reload := func(n int) {
			for range n {
				if err := b.Server.Reload(b.Config); err != nil {
					t.Fatal(err)
				}
			}
		}
		reload(reloads / 10)
		before := heap()
		reload(reloads - reloads/10)
		if grown := heap() - before; grown > 2<<20 {
			t.Errorf("the heap grew by %d bytes in %d reloads", grown, reloads)
		}
		phoneOver(t, b, tls).Query().Expect(200)
	})
}
