package biloxi_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program builds bin/biloxi, as `make build` does, in a folder of the test.
func program(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "bin", "biloxi"), "./cmd/biloxi")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// freePort finds a port of loopback that nothing listens to, over UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		if p, err := net.ListenPacket("udp", address); err == nil {
			p.Close()
			_, port, _ := net.SplitHostPort(address)
			return port
		}
	}
	t.Fatal("no free port")
	return ""
}

// demo is `make run`, on ports of its own.
type demo struct {
	t          *testing.T
	dir        string
	plain, tls string // ports
	environ    []string
	process    *exec.Cmd
	output     bytes.Buffer
}

func newDemo(t *testing.T) *demo {
	d := &demo{t: t, dir: program(t), plain: freePort(t), tls: freePort(t)}
	d.environ = append(os.Environ(), "BILOXI_LISTEN_0_ADDRESS=127.0.0.1:"+d.plain,
		"BILOXI_LISTEN_1_ADDRESS=127.0.0.1:"+d.plain, "BILOXI_LISTEN_2_ADDRESS=127.0.0.1:"+d.tls)
	t.Cleanup(func() {
		if d.process != nil {
			d.kill(syscall.SIGTERM)
		}
	})
	return d
}

// start runs the server until it answers.
func (d *demo) start() {
	d.t.Helper()
	d.process = exec.Command("bin/biloxi", "serve", "--demo")
	d.process.Dir, d.process.Env = d.dir, d.environ
	d.process.Stdout, d.process.Stderr = &d.output, &d.output
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		c, err := net.Dial("tcp", "127.0.0.1:"+d.tls)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			d.kill(syscall.SIGKILL)
			d.t.Fatalf("the demonstration does not answer: %v\n%s", err, &d.output)
		}
		time.Sleep(20 * time.Millisecond) // the only sign that another process listens is that it does
	}
}

func (d *demo) kill(sig syscall.Signal) {
	d.t.Helper()
	if err := d.process.Process.Signal(sig); err != nil {
		d.t.Errorf("signal: %v", err)
	}
	err := d.process.Wait()
	var exit *exec.ExitError
	if sig == syscall.SIGTERM && err != nil || err != nil && !errors.As(err, &exit) {
		d.t.Errorf("the demonstration ended with %v\n%s", err, &d.output)
	}
	d.process = nil
}

// run runs one line of the README and returns what it printed.
func (d *demo) run(line string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := d.command(ctx, line).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s\n%v\n%s", line, err, out)
	}
	return string(out)
}

// command is one line of the README, with the ports of the test.
func (d *demo) command(ctx context.Context, line string) *exec.Cmd {
	line = strings.ReplaceAll(line, "127.0.0.1:5061", "127.0.0.1:"+d.tls)
	line = strings.ReplaceAll(line, "127.0.0.1:5060", "127.0.0.1:"+d.plain)
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Dir, cmd.Env = d.dir, append(os.Environ(), "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"))
	return cmd
}

// background runs one line of the README until it ends by itself, and returns when it has printed that it is ready.
func (d *demo) background(line, ready string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := d.command(ctx, line+" 2>&1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	seen := false
	for !seen && lines.Scan() {
		seen = strings.Contains(lines.Text(), ready)
	}
	if !seen {
		d.t.Fatalf("%s\ndid not print %q", line, ready)
	}
	d.t.Cleanup(func() {
		for lines.Scan() {
		}
		defer cancel()
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("%s\n%v", line, err)
		}
	})
}

var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

// section returns the command lines of the README's shell blocks below a heading.
func section(t *testing.T, heading string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for _, block := range shell.FindAllStringSubmatch(rest, -1) {
		for line := range strings.Lines(block[1]) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// TestReadme runs the commands of the README with a program built for it.
func TestReadme(t *testing.T) {
	d := newDemo(t)
	d.start()
	t.Run("tour", func(t *testing.T) { d.t = t; tour(t, d) })
	t.Run("configuration", func(t *testing.T) { d.t = t; configuration(t, d) })
	d.t = t
}

// tour goes line by line, kills the server in the middle as the text says, and sees Bob's contact list come
// out as it is printed there.
func tour(t *testing.T, d *demo) {
	lines := section(t, "A tour")
	if len(lines) < 7 {
		t.Fatalf("the tour has %d commands", len(lines))
	}
	list := fmt.Sprintf("%s|%s", regexp.QuoteMeta("sips:bob@client.biloxi.example.com")+`\s+3(600|59\d)\s`,
		regexp.QuoteMeta("mailto:bob@biloxi.example.com")+`\s+4294967295\s`)
	want := regexp.MustCompile(list)
	for _, line := range lines {
		if strings.Contains(line, "biloxi answer ") {
			d.background(line, "registered")
			continue
		}
		out := d.run(line)
		if strings.Contains(line, "biloxi call ") && !strings.Contains(out, "answered after") {
			t.Errorf("%s\nprinted\n%s", line, out)
		}
		if !strings.Contains(line, " contacts ") {
			continue
		}
		if got := len(want.FindAllString(out, -1)); got != 2 {
			t.Errorf("%s\nprinted\n%s\nwhich lacks a binding", line, out)
		}
		if out := d.run(line + " --trace"); !strings.Contains(out, "F4 200 OK SIP Server -> Bob") {
			t.Errorf("--trace printed\n%s", out)
		}
		d.kill(syscall.SIGKILL)
		d.start()
		if got := len(want.FindAllString(d.run(line), -1)); got != 2 {
			t.Errorf("after kill -9 the contact list is another:\n%s", out)
		}
	}
	if out := d.run(lines[2]); !strings.Contains(out, "no contacts") {
		t.Errorf("after the cancellation the list is\n%s", out)
	}
}

// configuration checks the configuration that the README shows, with the demonstration's certificate.
func configuration(t *testing.T, d *demo) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	toml := regexp.MustCompile("(?s)```toml\n(.*?)```").FindSubmatch(text)
	if toml == nil {
		t.Fatal("the README shows no configuration")
	}
	file := strings.ReplaceAll(string(toml[1]), "/var/lib/biloxi", filepath.Join(d.dir, "data"))
	for name, content := range map[string]string{"biloxi.toml": file, "bob.password": "zanzibar\n"} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.run("cp biloxi-data/cert.pem biloxi-data/key.pem .")
	ran := 0
	for _, line := range section(t, "Configuration") {
		if strings.Contains(line, " serve ") {
			continue // it would not come back; TestReadmeTour and the server's tests start servers
		}
		d.run(line)
		ran++
	}
	if ran < 2 {
		t.Errorf("%d commands ran", ran)
	}
	if out := d.run("biloxi subscriber list --config biloxi.toml"); !strings.Contains(out, "bob@biloxi.example.com") {
		t.Errorf("subscriber list printed\n%s", out)
	}
}

// TestReadmeTargets sees that the make targets that the documents name are there.
func TestReadmeTargets(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []string{"README.md", "CONTRIBUTING.md", "docs/operations.md"} {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllSubmatch(text, -1) {
			if !bytes.Contains(makefile, []byte("\n"+string(m[1])+":")) {
				t.Errorf("%s names make %s, which the Makefile does not have", doc, m[1])
			}
		}
	}
}
