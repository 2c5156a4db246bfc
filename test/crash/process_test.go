package crash

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"biloxi/sip"
)

// patience is how long a test waits for what must come: long, because nothing is measured by it.
const patience = 2 * time.Minute

// domain is what the server serves.
const domain = "biloxi.example.com"

// configuration has free ports of the system's choice, since others may take a port while the server is
// down; and snapshots as small as they can be, so that they too are killed.
const configuration = `data = "data"

[[domain]]
name = "` + domain + `"

[[listen]]
transport = "udp"
address = "127.0.0.1:0"

[[listen]]
transport = "tcp"
address = "127.0.0.1:0"

[location]
durability = "sync"
snapshot_size = "64KiB"
`

// installation is the program with a configuration and a data folder.
type installation struct {
	program, config string
}

// install builds the program as `make build` does, and imports the subscribers.
func install(t *testing.T, users []string) *installation {
	t.Helper()
	dir := t.TempDir()
	i := &installation{filepath.Join(dir, "biloxi"), filepath.Join(dir, "biloxi.toml")}
	build := exec.Command("go", "build", "-trimpath", "-o", i.program, "biloxi/cmd/biloxi")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var list strings.Builder
	for _, user := range users {
		fmt.Fprintf(&list, "sip:%s@%s,%s\n", user, domain, password(user))
	}
	file := filepath.Join(dir, "subscribers.csv")
	for name, text := range map[string]string{i.config: configuration, file: list.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.run(t, "subscriber", "import", file)
	return i
}

func password(user string) string { return user + "-secret" }

// run runs a command of the administrator and returns what it printed.
func (i *installation) run(t *testing.T, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.program, append(args, "--config", i.config)...)
	cmd.Env = environment()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("biloxi %s: %v\n%s", strings.Join(args, " "), err, &complaint)
	}
	return out
}

// environment is the tests' without what would configure the program.
func environment() (list []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BILOXI_") && !strings.HasPrefix(v, "NOTIFY_SOCKET=") {
			list = append(list, v)
		}
	}
	return list
}

// process is biloxi serve, running.
type process struct {
	t       *testing.T
	cmd     *exec.Cmd
	addr    map[sip.Transport]netip.AddrPort // once it serves
	log     serverLog
	serving chan []string // takes the listeners, once
	read    chan struct{} // closed when all of its log was read
	over    bool
}

// launch starts the server, and waits for nothing. The test ends it if nobody else does.
func (i *installation) launch(t *testing.T) *process {
	t.Helper()
	p := &process{t: t, addr: map[sip.Transport]netip.AddrPort{}, serving: make(chan []string, 1), read: make(chan struct{})}
	p.cmd = exec.Command(i.program, "serve", "--config", i.config)
	p.cmd.Env = environment()
	tie(p.cmd)
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !p.over {
			p.end(syscall.SIGKILL)
		}
	})
	go func() {
		defer close(p.read)
		p.log.follow(log, p.serving)
	}()
	return p
}

// start starts the server, and waits until it says that it serves.
func (i *installation) start(t *testing.T) *process {
	t.Helper()
	p := i.launch(t)
	select {
	case listeners := <-p.serving:
		for _, l := range listeners {
			name, address, _ := strings.Cut(l, " ")
			p.addr[sip.TransportOf([]byte(name))] = netip.MustParseAddrPort(address)
		}
	case <-p.read:
		t.Fatalf("the server does not start:\n%s", p.log.text())
	case <-time.After(patience):
		t.Fatal("the server does not say that it serves")
	}
	return p
}

// end sends a signal, and returns how the process ended.
func (p *process) end(sig syscall.Signal) error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Errorf("%v: %v", sig, err)
	}
	select {
	case <-p.read:
	case <-time.After(patience):
		p.t.Errorf("%v does not end the server", sig)
		p.cmd.Process.Kill()
		<-p.read
	}
	p.over = true
	err := p.cmd.Wait()
	if p.log.failed {
		p.t.Errorf("the server complains:\n%s", p.log.text())
	}
	return err
}

// serverLog is the last of what a server logged. It belongs to follow until that returns.
type serverLog struct {
	lines  []string
	failed bool // it has an error, or something that is no log
}

// keptLines are enough to see what came before an end.
const keptLines = 40

// follow reads a log to its end, and tells the listeners when the server serves.
func (l *serverLog) follow(r io.Reader, serving chan<- []string) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var entry struct {
			Level, Msg string
			Listeners  []string
		}
		if err := json.Unmarshal(in.Bytes(), &entry); err != nil || entry.Level == "ERROR" {
			l.failed = true
		}
		if len(l.lines) == keptLines {
			l.lines = l.lines[1:]
		}
		l.lines = append(l.lines, in.Text())
		if entry.Msg == "serving" {
			serving <- entry.Listeners
		}
	}
}

func (l *serverLog) text() string { return strings.Join(l.lines, "\n") }
