package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/bench"
)

// benched is a server with users.csv and what it takes to load it.
type benched struct {
	dir     string
	servers map[string]string // what to send to, by transport
}

func startBenched(t *testing.T) *benched {
	t.Helper()
	dir := t.TempDir()
	if err := ensureCertificate(dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	text := "data = \"data\"\n[[domain]]\nname = \"bench.example\"\n[location]\ndurability = \"none\"\n[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n"
	for _, transport := range []string{"udp", "tcp", "tls"} {
		text += "[[listen]]\ntransport = \"" + transport + "\"\naddress = \"127.0.0.1:0\"\n"
	}
	users := ""
	for i := range 20 {
		users += fmt.Sprintf("sip:user%d@bench.example,secret-user%[1]d\n", i)
	}
	file := filepath.Join(dir, "biloxi.toml")
	for name, text := range map[string]string{file: text, filepath.Join(dir, "users.csv"): users} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, nil, "--config", file)
	if code, out, errs := command(nil, "", "subscriber", "import", "--config", file, filepath.Join(dir, "users.csv")); code != exitDone {
		t.Fatal(out, errs)
	}
	_, out, _ := command(nil, "", "status", "--config", file, "--json")
	var status struct{ Listeners []string }
	if err := json.Unmarshal([]byte(out), &status); err != nil || len(status.Listeners) != 3 {
		t.Fatalf("%v\n%s", err, out)
	}
	b := &benched{dir: dir, servers: map[string]string{}}
	for _, l := range status.Listeners {
		transport, address, _ := strings.Cut(l, " ")
		b.servers[transport] = "sip:" + address + ";transport=" + transport
	}
	return b
}

// TestBench loads a real server with each scenario over each transport.
func TestBench(t *testing.T) {
	b := startBenched(t)
	for _, transport := range []string{"udp", "tcp", "tls"} {
		for _, s := range bench.Scenarios {
			if s == bench.Connect && transport == "udp" {
				continue
			}
			t.Run(transport+" "+string(s), func(t *testing.T) {
				args := []string{"bench", b.servers[transport], "-s", string(s), "-c", "4", "-n", "40", "--json", "--pid", fmt.Sprint(os.Getpid()),
					"--users-file", filepath.Join(b.dir, "users.csv")}
				if transport == "tls" {
					args = append(args, "--ca", filepath.Join(b.dir, "ca.pem"))
				}
				if s == bench.Connect {
					args = append(args, "--sockets", "20", "--hold", "0")
				}
				code, out, errs := command(nil, "", args...)
				var res bench.Result
				if err := json.Unmarshal([]byte(out), &res); err != nil || code != exitDone {
					t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
				}
				want := map[bool]int64{true: 20, false: 40}[s == bench.Connect]
				if res.Operations != want || res.Retransmissions != 0 || res.Latency.P50 <= 0 || res.Latency.P99 < res.Latency.P50 || res.Memory.After == 0 {
					t.Errorf("%s", out)
				}
			})
		}
	}
}

func TestBenchOutput(t *testing.T) {
	b := startBenched(t)
	code, out, errs := command(nil, "", "bench", b.servers["udp"], "-s", "refresh", "-n", "40", "--users", "20", "--domain", "bench.example")
	if code != exitDone || errs != "" {
		t.Errorf("exit code %d %s", code, errs)
	}
	for _, want := range []string{"refresh over udp to 127.0.0.1:", "40 in", "p99.9", "0 retransmissions", "unanswered  0", "wrong       0", "tool CPU"} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	code, _, errs = command(nil, "", "bench", b.servers["udp"], "-s", "refresh", "-n", "40", "--users", "20", "--domain", "bench.example", "--password-format", "wrong")
	if code != exitFailed || !strings.Contains(errs, "20 of the registrations before the measurement failed: status: SIP/2.0 401") || !strings.Contains(errs, "--password-format") {
		t.Errorf("wrong passwords: exit code %d\n%s", code, errs)
	}
	code, out, _ = command(nil, "", "bench", b.servers["udp"], "-n", "1", "--domain", "other.example")
	if code != exitFailed || !strings.Contains(out, "wrong       1: status 1") || !strings.Contains(out, "What came (status, the first):") {
		t.Errorf("a domain that is not served: exit code %d\n%s", code, out)
	}
}

func TestBenchInterrupted(t *testing.T) {
	b := startBenched(t)
	signals := make(chan os.Signal, 1)
	var out, errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run([]string{"bench", b.servers["udp"], "-s", "refresh", "-d", "1h", "--warmup", "0", "--users", "20", "--domain", "bench.example"},
			&console{Out: &out, Err: &errs, Signals: signals})
	}()
	// Contacts are there when the registrations before the measurement are done, and it begins.
	for {
		_, text, _ := command(nil, "", "status", "--data", filepath.Join(b.dir, "data"), "--json")
		var status struct{ Bindings int }
		if err := json.Unmarshal([]byte(text), &status); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if status.Bindings == 20 {
			break
		}
	}
	signals <- os.Interrupt
	if code := <-done; code == exitDone && !strings.Contains(out.String(), "p99.9") || code != exitDone && !strings.Contains(errs.String(), "interrupted before") {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}

func TestBenchUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"connect needs connections":   {"sip:127.0.0.1:9", "-s", "connect"},
		"call needs two users":        {"sip:127.0.0.1:9", "-s", "call", "-u", "1"},
		"--rate must not be negative": {"sip:127.0.0.1:9", "--rate=-1"},
		"would measure nothing":       {"sip:127.0.0.1:9", "-d", "0"},
		"needs %d":                    {"sip:127.0.0.1:9", "--user-format", "bob"},
		"are for TLS":                 {"sip:127.0.0.1:9", "--insecure"},
		"must be one of":              {"sip:127.0.0.1:9", "-s", "dance"},
		"only a host, a port":         {"sip:bob@127.0.0.1:9"},
	} {
		code, _, errs := command(nil, "", append([]string{"bench"}, args...)...)
		if code != exitUsage || !strings.Contains(errs, want) || !strings.Contains(errs, "biloxi bench --help") {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
	if code, out, _ := command(nil, "", "bench", "--help"); code != exitDone || !strings.Contains(out, "Examples:") || !strings.Contains(out, "Exit codes:") {
		t.Errorf("--help: exit code %d\n%s", code, out)
	}
}
