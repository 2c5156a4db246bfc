package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"biloxi/admin"
)

// TestDefence is a developer who has the wrong password, and an administrator who looks at it.
func TestDefence(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := serve(t, append([]string{"BILOXI_DEFENCE_INTERVAL=1m"}, demoEnvironment...), "--demo", "--data", data)
	at := func(args ...string) []string { return append(args, "--data", data) }
	ask := pasted(t, s.out.String())[1]
	wrong := slices.Clone(ask)
	wrong[len(wrong)-1] = filepath.Join(dir, "wrong.password")
	if err := os.WriteFile(wrong[len(wrong)-1], []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var seen transcript
	seen.run("", at("defence", "list")...)
	for i := range 10 {
		if code, _, errs := command(nil, "", wrong...); code != exitFailed || !strings.Contains(errs, "401") && !strings.Contains(errs, "password") {
			t.Fatalf("wrong password %d: %d %s", i+1, code, errs)
		}
	}
	command(nil, "", wrong...) // takes the turn
	if code, _, errs := command(nil, "", wrong...); code != exitFailed || !strings.Contains(errs, "503") {
		t.Errorf("the next one: %d %s", code, errs)
	}
	seen.run("", at("defence", "list")...)
	seen.run("", at("defence", "list", "--limit", "1")...)
	seen.run("", at("defence", "list", "--limit", "0")...)
	seen.run("", at("defence", "list", "--json")...)
	seen.run("", at("defence", "forget", "127.0.0.1")...)
	if code, _, errs := command(nil, "", ask...); code != exitDone {
		t.Errorf("after forget: %d %s", code, errs)
	}
	seen.run("", at("defence", "deny", "127.0.0.0/8", "--for", "1h")...)
	if code, _, errs := command(nil, "", ask...); code != exitFailed || !strings.Contains(errs, "403") {
		t.Errorf("of a denied source: %d %s", code, errs)
	}
	seen.run("", at("defence", "allow", "127.0.0.1")...)
	for range 30 {
		command(nil, "", wrong...)
	}
	if code, _, errs := command(nil, "", ask...); code != exitDone {
		t.Errorf("of an allowed source: %d %s", code, errs)
	}
	seen.run("", at("defence", "list")...)
	seen.run("", at("defence", "deny", "10.1.2.3/8")...)
	seen.run("", at("defence", "deny", "0.0.0.0/0")...)
	seen.run("", at("defence", "deny", "127.0.0.1", "--for", "0")...)
	seen.run("", at("defence", "deny", "198.51.100.7", "--json")...)
	seen.run("", at("defence", "forget")...)
	seen.run("", at("defence", "forget", "alice@biloxi.example.com")...)
	seen.run("", at("defence", "forget", "bob@biloxi.example.com")...)
	seen.run("", at("defence", "forget", "--all")...)
	seen.run("", at("defence", "forget", "127.0.0.0/8", "--json")...)
	if code, out, errs := command(nil, "", at("status")...); code != exitDone || !strings.Contains(out, "defence: wrong passwords  ") {
		t.Errorf("status: %d %s%s", code, out, errs)
	}
	if log := s.log.String(); !strings.Contains(log, `"request":"PUT /v1/defence/deny/127.0.0.0/8"`) {
		t.Errorf("the log does not say what was changed:\n%s", log)
	}
	s.stop()
	seen.run("", at("defence", "list")...)
	golden(t, "defence", data, seen.text.String())

	again := serve(t, demoEnvironment, "--demo", "--data", data)
	code, out, errs := command(nil, "", at("defence", "list", "--json")...)
	var d admin.Defence
	if err := json.Unmarshal([]byte(out), &d); code != exitDone || err != nil || len(d.Rules) != 1 || d.Rules[0].Source != "198.51.100.7" {
		t.Errorf("rules do not outlive a restart: %d %s%s %v", code, out, errs, err)
	}
	again.stop()
	if err := os.WriteFile(filepath.Join(data, "defence.json"), []byte(`[{"action":"deny","source":"everybody"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := begin(t, demoEnvironment, "--demo", "--data", data)
	if code := broken.ended(); code != exitFailed || !strings.Contains(broken.log.String(), "defence.json: rule 1: ") {
		t.Errorf("with a broken file of rules: %d %s", code, &broken.log)
	}
}

// TestDefenceLines holds that the filter for fail2ban in packaging reads the lines that the server writes, in both of
// the log's formats, and no others.
func TestDefenceLines(t *testing.T) {
	const filter = "../../packaging/fail2ban/filter.conf"
	failregex, aggressive := filterOf(t, filter, "normal"), filterOf(t, filter, "aggressive")
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			s := serve(t, append([]string{"BILOXI_LOG_FORMAT=" + format, "BILOXI_DEFENCE_TRIES=1", "BILOXI_DEFENCE_REFUSE_AFTER=2",
				"BILOXI_DEFENCE_REFUSE=1s"}, demoEnvironment...), "--demo", "--data", data)
			wrong := pasted(t, s.out.String())[1]
			wrong[len(wrong)-1] = filepath.Join(data, "alice.password")
			for i := range 6 { // one user alone would be refused, and not the source
				guess := slices.Clone(wrong)
				for j := range guess {
					guess[j] = strings.Replace(guess[j], "bob@biloxi", fmt.Sprintf("nobody%d@biloxi", i), 1)
				}
				command(nil, "", guess...)
			}
			found := 0
			for _, line := range strings.Split(s.log.String(), "\n") {
				m := failregex.FindStringSubmatch(line)
				refused := strings.Contains(line, "action=refused") || strings.Contains(line, `"action":"refused"`)
				user := strings.Contains(line, " user=") || strings.Contains(line, `"user":`)
				if (m != nil) != (refused && !user) || aggressive.MatchString(line) != refused {
					t.Errorf("the filter says %q of\n%s", m, line)
				}
				if m != nil && !slices.Contains(m[1:], "127.0.0.1") {
					t.Errorf("the filter takes %q for the address in\n%s", m, line)
				}
				if m != nil {
					found++
				}
			}
			if found == 0 {
				t.Errorf("nobody is refused in\n%s", &s.log)
			}
		})
	}
	// What a peer chooses stands in quotes, with those in it escaped, and cannot pass for a line of its own.
	for _, line := range []string{
		`time=2026-03-01T12:00:00.000Z level=INFO msg=refused reason=credentials from=192.0.2.1:5060 to="<sip:x\" msg=defence action=refused address=203.0.113.1 source=203.0.113.1/32@a>"`,
		`{"time":"2026-03-01T12:00:00Z","level":"INFO","msg":"refused","username":"\",\"msg\":\"defence\",\"action\":\"refused\",\"address\":\"203.0.113.1\",\"source\":"}`,
		`time=2026-03-01T12:00:00.000Z level=WARN msg="defence watches" action=refused address=203.0.113.1 source=203.0.113.1/32`,
	} {
		if failregex.MatchString(line) || aggressive.MatchString(line) {
			t.Errorf("the filter takes\n%s", line)
		}
	}
}

// filterOf reads the failregex of a filter of fail2ban in one of its modes: <ADDR> is an address, <NAME-<mode>> another
// value of the file. fail2ban itself cuts the date out of a line before.
func filterOf(t *testing.T, file, mode string) *regexp.Regexp {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(b), "\nfailregex = ")
	if !ok {
		t.Fatalf("%s has no failregex", file)
	}
	var list []string
	for i, line := range strings.Split(after, "\n") {
		if i > 0 && !strings.HasPrefix(line, " ") {
			break
		}
		list = append(list, strings.TrimSpace(line))
	}
	values := regexp.MustCompile(`(?m)^(_\w+-\w+) = ?(.*)$`)
	text := strings.ReplaceAll(strings.Join(list, "|"), "<mode>", mode)
	for _, m := range values.FindAllStringSubmatch(string(b), -1) {
		text = strings.ReplaceAll(text, "<"+m[1]+">", m[2])
	}
	return regexp.MustCompile(strings.ReplaceAll(text, "<ADDR>", `(?P<address>[0-9a-fA-F.:]+)`))
}
