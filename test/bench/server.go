package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"biloxi/sip"
)

// The addresses of both servers: the same, but for the port.
const (
	domain       = "bench.example"
	biloxiPort   = 5160 // UDP and TCP; TLS is one above
	kamailioPort = 5170
)

// settle is how long a server is left alone when it has answered for the first time.
const settle = 200 * time.Millisecond

// proc is a server that runs.
type proc struct {
	name    string
	cmd     *exec.Cmd
	port    int
	started time.Duration // until it answered
	log     string
}

// command is what was run, as somebody would type it.
func command(cmd *exec.Cmd) string {
	parts := make([]string, len(cmd.Args))
	for i, a := range cmd.Args {
		if i == 0 {
			a = filepath.Base(a)
		}
		if strings.ContainsAny(a, " ;$&*%") {
			a = "'" + a + "'"
		}
		parts[i] = a
	}
	return strings.Join(parts, " ")
}

// start starts a server and waits until it answers OPTIONS.
func start(name, dir string, port int, wait time.Duration, cmd *exec.Cmd) (*proc, error) {
	p := &proc{name: name, cmd: cmd, port: port, log: filepath.Join(dir, name+".log")}
	if err := isFree(port); err != nil {
		return nil, err
	}
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is ours
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for time.Since(began) < wait {
		select {
		case err := <-ended:
			return nil, fmt.Errorf("%s ended at its start: %v: %s", name, err, tail(p.log))
		default:
		}
		if answers(port) {
			p.started = time.Since(began)
			break
		}
	}
	if p.started > 0 {
		select {
		case err := <-ended: // somebody else has answered
			return nil, fmt.Errorf("%s ended at its start: %v: %s", name, err, tail(p.log))
		case <-time.After(settle):
			return p, nil
		}
	}
	cmd.Process.Kill()
	return nil, fmt.Errorf("%s does not answer: %s", name, tail(p.log))
}

// isFree reports a port that somebody has: Kamailio would share it, and get some of the requests.
func isFree(port int) error {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return fmt.Errorf("%w: is another `make bench` under way?", err)
	}
	return c.Close()
}

// answers sends one OPTIONS and waits a little for its 200.
func answers(port int) bool {
	c, err := net.Dial("udp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	defer c.Close()
	fmt.Fprintf(c, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=%s-up\r\nMax-Forwards: 70\r\nFrom: <sip:up@%[1]s>;tag=1\r\nTo: <sip:%[1]s>\r\nCall-ID: up\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		domain, c.LocalAddr(), sip.MagicCookie)
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	b := make([]byte, 2048)
	n, err := c.Read(b)
	if err != nil {
		time.Sleep(5 * time.Millisecond) // refused at once
	}
	return bytes.HasPrefix(b[:n], []byte("SIP/2.0 200"))
}

// stop ends a server and waits for it.
func (p *proc) stop() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	for range 300 {
		if p.cmd.Process.Signal(syscall.Signal(0)) != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = p.cmd.Process.Kill()
	time.Sleep(time.Second)
}

// kill ends a server as a crash would.
func (p *proc) kill() {
	_ = p.cmd.Process.Kill()
	for range 100 {
		if p.cmd.Process.Signal(syscall.Signal(0)) != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *proc) pid() int { return p.cmd.Process.Pid }

// tail is the end of a log.
func tail(file string) string {
	b, _ := os.ReadFile(file)
	return strings.TrimSpace(string(b[max(0, len(b)-500):]))
}

// uri is where to send to.
func (p *proc) uri(transport string) string {
	switch transport {
	case "tls":
		return "sips:127.0.0.1:" + strconv.Itoa(p.port+1)
	case "tcp":
		return "sip:127.0.0.1:" + strconv.Itoa(p.port) + ";transport=tcp"
	}
	return "sip:127.0.0.1:" + strconv.Itoa(p.port)
}

// startBiloxi starts Biloxi with a durability, on the data folder of that name, which is made with its
// subscribers if it is not there.
func (h *harness) startBiloxi(data, durability string, users int) (*proc, error) {
	return h.startBiloxiAt(biloxiPort, data, durability, users)
}

func (h *harness) startBiloxiAt(port int, data, durability string, users int) (*proc, error) {
	dir := filepath.Join(h.dir, "biloxi-"+data)
	file := filepath.Join(dir, "biloxi.toml")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(biloxiConfig, domain, port, port+1, h.certs, durability)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "subscribers")); err != nil {
		if err := h.importUsers(dir, file, users); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(h.biloxi, "serve", "--config", file)
	cmd.Env = os.Environ()
	if h.profiles != "" {
		cmd.Env = append(cmd.Env, "PROFILE="+filepath.Join(h.profiles, h.profiled))
	}
	return start("biloxi", dir, port, time.Minute, cmd)
}

const biloxiConfig = `data = "data"

[[domain]]
name = "%[1]s"

[[listen]]
transport = "udp"
address = "127.0.0.1:%[2]d"

[[listen]]
transport = "tcp"
address = "127.0.0.1:%[2]d"

[[listen]]
transport = "tls"
address = "127.0.0.1:%[3]d"

[tls]
certificate = "%[4]s/cert.pem"
key = "%[4]s/key.pem"

[location]
durability = "%[5]s"

[limits]
connections_per_source = 50000

[log]
level = "warn"
`

// importUsers writes the subscribers' file and imports it.
func (h *harness) importUsers(dir, config string, users int) error {
	name := filepath.Join(dir, "users.csv")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for i := range users {
		fmt.Fprintf(w, "sip:user%d@%s,secret-user%[1]d\n", i, domain)
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return err
	}
	out, err := exec.Command(h.biloxi, "subscriber", "import", "--config", config, name).CombinedOutput()
	if err != nil {
		return fmt.Errorf("biloxi subscriber import: %w: %s", err, out)
	}
	return os.WriteFile(filepath.Join(dir, "subscribers"), fmt.Appendf(nil, "%d\n", users), 0o644)
}

//go:embed kamailio/kamailio.cfg.tmpl
var kamailioText string

// kamailioConfig is what its configuration is filled in with.
type kamailioConfig struct {
	UDP, TCP, TLS string // addresses
	Streams       bool   // TCP and TLS are on
	TLSFile       string
	Database      string // db_sqlite or db_postgres; empty: memory alone
	URL           string
	Journal       string // SQLite's file, whose journal is to be write-ahead
}

const kamailioTLS = `[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
certificate = %[1]s/cert.pem
private_key = %[1]s/key.pem
`

// startKamailio starts Kamailio with its fast allocator. Streams are on where they are needed: they cost
// processes, and memory.
func (h *harness) startKamailio(name string, streams bool, db database) (*proc, error) {
	dir := filepath.Join(h.dir, "kamailio-"+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	address := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	c := kamailioConfig{UDP: address(kamailioPort), TCP: address(kamailioPort), TLS: address(kamailioPort + 1), Streams: streams,
		TLSFile: filepath.Join(dir, "tls.cfg"), Database: db.module, URL: db.url, Journal: db.journal}
	var text bytes.Buffer
	if err := template.Must(template.New("").Parse(kamailioText)).Execute(&text, c); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "kamailio.cfg")
	if err := errors.Join(os.WriteFile(file, text.Bytes(), 0o644),
		os.WriteFile(c.TLSFile, fmt.Appendf(nil, kamailioTLS, h.certs), 0o644)); err != nil {
		return nil, err
	}
	args := []string{"-f", file, "-X", "tlsf", "-x", "tlsf", "-m", "4096", "-M", "32", "-n", db.workers(), "-b", "4194304", "-Y", dir, "-DD", "-E"}
	if streams {
		args = append(args, "-N", "2")
	}
	return start("kamailio", dir, kamailioPort, 3*time.Minute, exec.Command(h.kamailio, args...))
}
