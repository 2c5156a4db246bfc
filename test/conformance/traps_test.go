package conformance

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	. "biloxi/siptest"
	"biloxi/test/bed"
)

// serveEnv names the data folder that this test binary serves instead of running its tests.
const serveEnv = "BILOXI_TEST_SERVE"

// TestServe is the other process of TestKill: it serves until it is killed, or its input ends.
func TestServe(t *testing.T) {
	data := os.Getenv(serveEnv)
	if data == "" {
		t.Log("only TestKill starts this")
		return
	}
	_, err := os.Stat(data + "/subscribers.db")
	b := bed.Start(t, bed.Options{Data: data, Keep: err == nil})
	fmt.Printf("\nserving %s\n", b.Addr(udp))
	bufio.NewReader(os.Stdin).ReadString('\n')
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

// process is a server in a process of its own.
type process struct {
	cmd  *exec.Cmd
	addr string
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
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			return &process{cmd, addr}
		}
	}
	t.Fatal("the server does not start")
	return nil
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
