package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/alecthomas/kong"
)

var update = flag.Bool("update", false, "write the files of testdata that hold what commands print")

// command runs the program with an environment and standard input.
func command(environ []string, stdin string, args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = run(args, &console{In: strings.NewReader(stdin), Out: &stdout, Err: &stderr, Environ: environ})
	return code, stdout.String(), stderr.String()
}

// What is another each time, and what stands for it in testdata.
var scrubs = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`TIME, \S+ ago`), "TIME, AGE ago"},
	{regexp.MustCompile(`\b(59m\d\ds|1h0m0s)`), "LEFT"},
	{regexp.MustCompile(`"expires_in":( ?)\d+`), `"expires_in":${1}SECONDS`},
	{regexp.MustCompile(` in \d+(\.\d+)?m?s\b`), " in AGE"},
	{regexp.MustCompile(`(process +|"pid": )\d+`), "${1}PID"},
	{regexp.MustCompile(`(Call-ID +|"call_id":")[^\s"]+`), "${1}CALL-ID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`(\S) {2,}`), "$1  "}, // columns
}

// golden compares what a command printed with a file of testdata, in which dir stands as DIR.
func golden(t *testing.T, name, dir, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, dir, "DIR")
	for _, s := range scrubs {
		got = s.what.ReplaceAllString(got, s.with)
	}
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// transcript collects commands and what they print, as a user would see it.
type transcript struct {
	environ []string
	text    strings.Builder
}

func (s *transcript) run(stdin string, args ...string) (code int, out string) {
	code, out, errs := command(s.environ, stdin, args...)
	s.text.WriteString("$ biloxi " + strings.Join(args, " ") + "\n" + out)
	if errs != "" {
		s.text.WriteString("! " + strings.ReplaceAll(strings.TrimSuffix(errs, "\n"), "\n", "\n! ") + "\n")
	}
	if code != exitDone {
		s.text.WriteString("exit code " + string(rune('0'+code)) + "\n")
	}
	s.text.WriteString("\n")
	return code, out
}

// buffer is a bytes.Buffer for a server's log.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestHelp holds that every command tells what it does, and shows examples that the parser takes.
func TestHelp(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("biloxi"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		path := strings.Fields(leaf.Path())
		code, out, errs := command(nil, "", append(path, "--help")...)
		if code != exitDone || errs != "" {
			t.Errorf("%s --help: %d %s", leaf.Path(), code, errs)
		}
		if leaf.Help == "" {
			t.Errorf("%s: no word of what it does", leaf.Path())
		}
		_, examples, found := strings.Cut(out, "Examples:\n")
		if !found {
			t.Errorf("%s --help has no examples:\n%s", leaf.Path(), out)
			continue
		}
		if !strings.Contains(examples, "biloxi "+leaf.Path()) && !strings.Contains(examples, "biloxi "+strings.Join(path, " ")) {
			t.Errorf("%s --help has no example of itself:\n%s", leaf.Path(), examples)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "--demo", "--config", "x"}, {"config"}, {"config", "check"},
		{"subscriber", "add"}, {"subscriber", "add", "bob@example.com"}, {"subscriber", "add", "bob@example.com", "--password", "x"},
		{"location", "show"}, {"location", "remove"}, {"subscriber", "import"},
	} {
		if code, _, errs := command(nil, "", args...); code != exitUsage || len(args) > 0 && !strings.HasPrefix(errs, "biloxi: ") {
			t.Errorf("%q: exit code %d, %q", args, code, errs)
		}
	}
	if code, out, _ := command(nil, "", "version"); code != exitDone || !strings.HasPrefix(out, "biloxi ") {
		t.Errorf("version: %d %q", code, out)
	} else if code, flag, _ := command(nil, "", "--version"); code != exitDone || flag != out {
		t.Errorf("--version: %d %q", code, flag)
	}
	for want, args := range map[string][]string{
		"(see biloxi --help)":                {"nonsense"},
		"(see biloxi subscriber --help)":     {"subscriber"},
		"(see biloxi subscriber add --help)": {"subscriber", "add", "bob@example.com"},
		"(see biloxi options --help)":        {"options", "nonsense"},
	} {
		if _, _, errs := command(nil, "", args...); !strings.Contains(errs, want) {
			t.Errorf("%q: %q, not %s", args, errs, want)
		}
	}
}

func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.toml": "data = \"data\"\n[[domain]]\nname = \"example.com\"\n",
		"bad.toml":  "[registrar]\nmin_expire = \"60s\"\nmax_contacts = \"many\"\n",
		"tls.toml":  "[[listen]]\ntransport = \"tls\"\naddress = \"127.0.0.1:5061\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var s transcript
	s.run("", "config", "check", filepath.Join(dir, "good.toml"))
	s.run("", "config", "check", filepath.Join(dir, "good.toml"), "--json")
	s.run("", "config", "check", filepath.Join(dir, "bad.toml"))
	s.run("", "config", "check", filepath.Join(dir, "bad.toml"), "--json")
	s.run("", "config", "check", filepath.Join(dir, "tls.toml"))
	s.run("", "config", "check", filepath.Join(dir, "none.toml"))
	s.environ = []string{"BILOXI_REGISTRAR_MAX_CONTACTS=0"}
	s.run("", "config", "check", filepath.Join(dir, "good.toml"))
	golden(t, "config", dir, s.text.String())

	if _, out, _ := command(nil, "", "config", "reference"); !strings.Contains(out, "# min_expires = \"1m\"\n") {
		t.Error("the reference has no min_expires")
	}
	if _, out, _ := command(nil, "", "config", "reference", "--markdown"); !strings.HasPrefix(out, "# Configuration\n") {
		t.Error("the reference is no page")
	}
}
