package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"biloxi/admin"
)

// patience is how long a test waits for what must come: long, because nothing is measured by it.
const patience = 30 * time.Second

// serving is a whole biloxi serve in this process.
type serving struct {
	t       *testing.T
	signals chan os.Signal
	states  *net.UnixConn // what it tells its service manager
	out     buffer        // standard output
	log     buffer        // standard error
	exit    chan int
	environ []string
}

// serve starts a server with an environment, and waits until it says that it is ready.
func serve(t *testing.T, environ []string, args ...string) *serving {
	t.Helper()
	s := begin(t, environ, args...)
	s.expect("READY=1")
	return s
}

func begin(t *testing.T, environ []string, args ...string) *serving {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	states, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	states.SetReadDeadline(time.Now().Add(2 * patience))
	s := &serving{t: t, signals: make(chan os.Signal, 1), states: states, exit: make(chan int, 1)}
	s.environ = append(environ, "NOTIFY_SOCKET="+name)
	c := &console{In: strings.NewReader(""), Out: &s.out, Err: &s.log, Environ: s.environ, Signals: s.signals}
	go func() { s.exit <- run(append([]string{"serve"}, args...), c) }()
	t.Cleanup(func() {
		if s.exit != nil {
			s.stop()
		}
		states.Close()
	})
	return s
}

// expect waits for a state; those of the watchdog are passed over.
func (s *serving) expect(want string) {
	s.t.Helper()
	b := make([]byte, 256)
	for {
		n, err := s.states.Read(b)
		if err != nil {
			s.t.Fatalf("waiting for %s: %v\n%s%s", want, err, &s.out, &s.log)
		}
		if got := string(b[:n]); strings.HasPrefix(got, want) {
			return
		} else if got != "WATCHDOG=1" {
			s.t.Fatalf("the service manager is told %q, not %s", got, want)
		}
	}
}

// stop ends the server as a service manager does.
func (s *serving) stop() {
	s.t.Helper()
	s.signals <- syscall.SIGTERM
	s.expect("STOPPING=1")
	if code := s.ended(); code != exitDone {
		s.t.Errorf("SIGTERM: exit code %d\n%s", code, &s.log)
	}
}

func (s *serving) ended() int {
	s.t.Helper()
	select {
	case code := <-s.exit:
		s.exit = nil
		return code
	case <-time.After(patience):
		s.t.Fatal("it does not end")
		return 0
	}
}

// demoEnvironment makes a demonstration take any free port.
var demoEnvironment = []string{
	"BILOXI_LISTEN_0_ADDRESS=127.0.0.1:0", "BILOXI_LISTEN_1_ADDRESS=127.0.0.1:0", "BILOXI_LISTEN_2_ADDRESS=127.0.0.1:0",
}

// pasted are the commands that a demonstration shows, without the program's name.
func pasted(t *testing.T, banner string) (commands [][]string) {
	t.Helper()
	for _, line := range strings.Split(banner, "\n") {
		if _, after, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, programName()+" ") {
			if strings.Contains(after, `\`) {
				t.Fatalf("%s: more quoting than this test reads", line)
			}
			commands = append(commands, strings.Fields(strings.ReplaceAll(after, "'", "")))
		}
	}
	if len(commands) != 2 {
		t.Fatalf("the demonstration shows %d commands:\n%s", len(commands), banner)
	}
	return commands
}

// TestDemo is a first encounter: start it, paste what it shows, look at it, start it again.
func TestDemo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "biloxi-data")
	s := serve(t, demoEnvironment, "--demo", "--data", data)
	banner := s.out.String()
	password, err := os.ReadFile(filepath.Join(data, "bob.password"))
	if err != nil || !strings.Contains(banner, "password "+strings.TrimSpace(string(password))) {
		t.Errorf("bob's password is not shown: %v\n%s", err, banner)
	}
	var seen transcript
	for _, args := range pasted(t, banner) {
		code, out, errs := command(nil, "", args...)
		if code != exitDone || !strings.Contains(out, "sips:bob@client.biloxi.example.com") {
			t.Errorf("%q: %d %s%s", args, code, out, errs)
		}
	}
	// Its connection has closed, as that of a phone after a restart of the server.
	for what, args := range map[string][]string{"1 contact of 1 address, 0 reachable": {"status"}, `"reachable": 0`: {"status", "--json"}} {
		if code, out, errs := command(nil, "", append(args, "--data", data)...); code != exitDone || !strings.Contains(out, what) {
			t.Errorf("%q does not say %s: %d %s%s", args, what, code, out, errs)
		}
	}
	administer(&seen, data)
	s.expect("RELOADING=1")
	s.expect("READY=1")
	golden(t, "running", data, seen.text.String())
	if log := s.log.String(); !strings.Contains(log, `"request":"PUT /v1/subscribers/carol@biloxi.example.com/password"`) || strings.Contains(log, "another") {
		t.Errorf("the log does not say what was changed, or says too much:\n%s", log)
	}
	if code, _, errs := command(nil, "", pasted(t, banner)[0]...); code != exitDone {
		t.Error(errs)
	}
	s.stop()

	left, err := filepath.Glob(filepath.Join(data, "admin.sock"))
	if err != nil || len(left) != 0 {
		t.Errorf("a stopped server leaves %v", left)
	}
	var after transcript
	administer(&after, data)
	golden(t, "stopped", data, after.text.String())

	again := serve(t, demoEnvironment, "--demo", "--data", data)
	if banner := again.out.String(); strings.Contains(banner, strings.TrimSpace(string(password))) || !strings.Contains(banner, "password as before, in "+passwordFile(data, "bob")) {
		t.Errorf("the second start:\n%s", banner)
	}
	code, out, errs := command(nil, "", pasted(t, again.out.String())[1]...)
	if code != exitDone || strings.Contains(out, "sips:bob@client.biloxi.example.com") {
		t.Errorf("a contact that was removed is there after a restart: %d %s%s", code, out, errs)
	}
}

// administer does what administrators do, in a session that is kept.
func administer(s *transcript, data string) {
	at := func(args ...string) []string { return append(args, "--data", data) }
	s.run("", at("location", "list")...)
	s.run("", at("location", "show", "bob@biloxi.example.com")...)
	s.run("", at("location", "show", "alice@biloxi.example.com")...)
	s.run("", at("location", "list", "--json")...)
	s.run("", at("location", "remove", "bob@biloxi.example.com", "sips:nobody@client.biloxi.example.com")...)
	s.run("", at("location", "remove", "bob@biloxi.example.com", "sips:bob@client.biloxi.example.com")...)
	s.run("", at("location", "list")...)
	s.run("secret\n", at("subscriber", "add", "carol@ss2.biloxi.example.com", "--password-file", "-")...)
	s.run("secret\n", at("subscriber", "add", "carol@biloxi.example.com", "--password-file", "-")...)
	s.run("secret\n", at("subscriber", "add", "carol@elsewhere.example", "--password-file", "-")...)
	s.run("", at("subscriber", "add", "dave@biloxi.example.com", "--password-file", "-")...)
	s.run("another\n", at("subscriber", "passwd", "carol@biloxi.example.com", "--password-file", "-", "--json")...)
	s.run("", at("subscriber", "list")...)
	s.run("", at("subscriber", "show", "carol@biloxi.example.com")...)
	s.run("", at("subscriber", "remove", "carol@biloxi.example.com")...)
	s.run("", at("subscriber", "show", "carol@biloxi.example.com")...)
	s.run("erin@biloxi.example.com,secret\nnonsense\nfrank@biloxi.example.com,secret\n", at("subscriber", "import", "-")...)
	s.run("", at("subscriber", "list", "--json")...)
	s.run("", at("subscriber", "remove", "erin@biloxi.example.com")...)
	s.run("", at("subscriber", "remove", "frank@biloxi.example.com")...)
	s.run("", at("reload")...)
}

// TestWatchdog holds that the service manager hears from the server, and that one which does not listen
// does not hold it up.
func TestWatchdog(t *testing.T) {
	s := serve(t, append(demoEnvironment, "WATCHDOG_USEC=2000"), "--demo", "--data", filepath.Join(t.TempDir(), "data"))
	b := make([]byte, 256)
	for range 2 {
		if n, err := s.states.Read(b); err != nil || string(b[:n]) != "WATCHDOG=1" {
			t.Errorf("%q, %v", b[:n], err)
		}
	}
}

// TestChangesTakeEffect holds that a running server knows a new password at once, and the old one no more.
func TestChangesTakeEffect(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := serve(t, demoEnvironment, "--demo", "--data", data)
	query := pasted(t, s.out.String())[1]
	query[len(query)-1] = filepath.Join(dir, "new.password")
	if err := os.WriteFile(query[len(query)-1], []byte("new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := command(nil, "", query...); code != exitFailed {
		t.Errorf("a wrong password: %d %s", code, out)
	}
	if code, _, errs := command(nil, "new\n", "subscriber", "passwd", "bob@biloxi.example.com", "--password-file", "-", "--data", data); code != exitDone {
		t.Fatal(errs)
	}
	if code, out, errs := command(nil, "", query...); code != exitDone {
		t.Errorf("the new password: %d %s%s", code, out, errs)
	}
	if code, _, errs := command(nil, "", "subscriber", "remove", "bob@biloxi.example.com", "--data", data); code != exitDone {
		t.Fatal(errs)
	}
	if code, out, _ := command(nil, "", query...); code != exitFailed {
		t.Errorf("a subscriber that was removed: %d %s", code, out)
	}
}

// TestReload holds that a reload is all or nothing, by signal and by command.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	if err := ensureCertificate(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "biloxi.toml")
	write := func(domains string, certificate string) {
		t.Helper()
		text := "data = \"data\"\n" + domains + "\n[[listen]]\ntransport = \"tls\"\naddress = \"127.0.0.1:0\"\n[tls]\ncertificate = \"" + certificate + "\"\nkey = \"key.pem\"\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// served reports whether the server is responsible for a domain.
	served := func(domain string) bool {
		code, _, errs := command(nil, "x\n", "subscriber", "add", "x@"+domain, "--password-file", "-", "--config", file)
		if code == exitDone {
			command(nil, "", "subscriber", "remove", "x@"+domain, "--config", file)
		} else if !strings.Contains(errs, "is no domain of this configuration") {
			t.Error(errs)
		}
		return code == exitDone
	}
	const one, two = "[[domain]]\nname = \"one.example\"", "[[domain]]\nname = \"two.example\""
	write(one, "cert.pem")
	s := serve(t, nil, "--config", file)
	if !served("one.example") || served("two.example") {
		t.Error("at the start")
	}

	write(two, "nothing.pem") // a domain that is right, with a certificate that is not
	s.signals <- syscall.SIGHUP
	s.expect("RELOADING=1\nMONOTONIC_USEC=")
	s.expect("READY=1")
	if !strings.Contains(s.log.String(), "everything stays as it was") || !strings.Contains(s.log.String(), "nothing.pem") {
		t.Errorf("the log does not say what is wrong: %s", &s.log)
	}
	write(two+"\nnam = 1", "cert.pem")
	code, _, errs := command(nil, "", "reload", "--data", filepath.Join(dir, "data"))
	s.expect("RELOADING=1")
	s.expect("READY=1")
	if want := "biloxi: " + file + `:4:1: unknown key "nam" in [domain]; did you mean "name"?` + "\n"; code != exitFailed || errs != want {
		t.Errorf("reload: %d %s, not %s", code, errs, want)
	}
	write(one, "cert.pem") // what commands read; the server has not
	if !served("one.example") || served("two.example") {
		t.Error("after reloads that failed")
	}

	write(two, "cert.pem")
	if code, out, errs := command(nil, "", "reload", "--config", file); code != exitDone || out != "reloaded\n" {
		t.Errorf("reload: %d %s%s", code, out, errs)
	}
	s.expect("RELOADING=1")
	s.expect("READY=1")
	if served("one.example") || !served("two.example") {
		t.Error("after a reload")
	}
}

// TestStartupErrors holds that what prevents a start is said in one line, and that nothing stays behind.
func TestStartupErrors(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	if err := ensureCertificate(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"key of another":  {"[[listen]]\ntransport = \"tls\"\naddress = \"127.0.0.1:0\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"ca.key\"\n", "the key is not that of the certificate"},
		"no certificate":  {"[[listen]]\ntransport = \"tls\"\naddress = \"127.0.0.1:0\"\n[tls]\ncertificate = \"none.pem\"\nkey = \"key.pem\"\n", "none.pem: no such file"},
		"port taken":      {"[[listen]]\ntransport = \"udp\"\naddress = \"" + taken.LocalAddr().String() + "\"\n", "udp " + taken.LocalAddr().String() + ": address already in use"},
		"no data folder":  {"data = \"file/data\"\n[[listen]]\ntransport = \"udp\"\naddress = \"127.0.0.1:0\"\n", "not a directory"},
		"unknown key":     {"[[listen]]\ntransprot = \"udp\"\n", `:2:1: unknown key "transprot" in [listen]; did you mean "transport"?`},
		"no address here": {"[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1:0\"\n", "udp 192.0.2.1:0: "},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "biloxi.toml")
			if !strings.Contains(c.text, "data") {
				c.text = "data = \"data\"\n" + c.text
				c.want = strings.Replace(c.want, ":2:1:", ":3:1:", 1)
			}
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := begin(t, []string{"BILOXI_LIMITS_CONNECTIONS=100"}, "--config", file) // no word of descriptors
			if code := s.ended(); code != exitFailed {
				t.Errorf("exit code %d", code)
			}
			if got := s.log.String(); !strings.HasPrefix(got, "biloxi: ") || !strings.Contains(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("it says %s", got)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "data", "admin.sock*")); len(left) > 0 {
				t.Errorf("it leaves %v", left)
			}
		})
	}
}

// TestSecondServer holds that a data folder has one server, and that the first is not disturbed.
func TestSecondServer(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, demoEnvironment, "--demo", "--data", data)
	second := begin(t, demoEnvironment, "--demo", "--data", data)
	if code := second.ended(); code != exitFailed || strings.Count(second.log.String(), "\n") != 1 {
		t.Errorf("a second server: %d %s", code, &second.log)
	}
	if is, err := admin.IsRunning(t.Context(), data); !is || err != nil {
		t.Errorf("the first server answers no more: %v", err)
	}
	s.stop()
}

// TestStopDuringImport holds that an administrator whose file does not come to its end does not take all the time
// that the phones have for draining.
func TestStopDuringImport(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, append([]string{"BILOXI_LIMITS_SHUTDOWN_TIMEOUT=1s"}, demoEnvironment...), "--demo", "--data", data)
	client := admin.NewClient(data)
	defer client.Close()
	file, rest := io.Pipe()
	defer rest.Close()
	underway, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := client.Import(t.Context(), file, func(admin.Progress) { close(underway) })
		ended <- err
	}()
	io.WriteString(rest, "no subscriber\n")
	<-underway
	s.stop()
	rest.Close()
	if err := <-ended; err == nil {
		t.Error("an import that was cut short succeeds")
	}
}
