package server

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/defence"
)

// guessFrom counts wrong passwords of a source.
func guessFrom(s *Server, source string, n int) {
	st := s.state.Load()
	for i := range n {
		a := defence.Attempt{Source: netip.MustParseAddr(source), User: fmt.Append(nil, "user", i)}
		if s.guard.Guess(s.now(), &st.watchfulness.Policy, &a) == defence.Look {
			s.guard.Wrong(s.now(), &st.watchfulness.Policy, &a)
		}
	}
}

// TestDefenceAllocations: a refresh costs no allocation while others guess, nor where somebody guesses from the same
// address.
func TestDefenceAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it empties pools
	for name, source := range map[string]string{"elsewhere": "203.0.113.5", "from the same address": wireRemote.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			w := startWired(t, config.DurabilityNone, 64)
			w.run(t, w.each((*wiredPhone).bind), "200")
			guessFrom(w.server, source, 300)
			const runs = 20
			var batches [][][]byte
			for range runs + 3 {
				batches = append(batches, w.each((*wiredPhone).bind))
			}
			next := func() {
				w.run(t, batches[0], "200")
				batches = batches[1:]
			}
			next()
			next()
			if n := testing.AllocsPerRun(runs, next) / float64(len(w.phones)); n >= 0.1 && !raceEnabled {
				t.Errorf("%v allocations a request", n)
			}
		})
	}
}

// TestRulesFile: rules are in the file when their call returns, whole, and a file that cannot be read is said by name.
func TestRulesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "defence.json")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := func() *guard {
		t.Helper()
		g, err := openGuard(now, slog.New(slog.DiscardHandler), file)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	d := Defence{&Server{guard: open(), now: func() time.Time { return now }}}
	deny := defence.Rule{Action: defence.Deny, Source: netip.MustParsePrefix("2001:db8::/32"), Until: now.Add(time.Hour)}
	allow := defence.Rule{Action: defence.Allow, Source: netip.MustParsePrefix("192.0.2.7/32")}
	for _, r := range []defence.Rule{deny, allow, allow} {
		if err := d.Rule(r); err != nil {
			t.Fatal(err)
		}
	}
	if got := open().rules.Load().List(now); len(got) != 2 || got[0] != allow || got[1] != deny {
		t.Errorf("read again: %v", got)
	}
	if got := open().rules.Load().List(now.Add(time.Hour)); len(got) != 1 {
		t.Errorf("an hour later: %v", got)
	}
	if rules, _, err := d.Forget(netip.MustParsePrefix("192.0.2.0/24")); rules != 1 || err != nil || len(open().rules.Load().List(now)) != 1 {
		t.Errorf("%d rules are forgotten, %v", rules, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	for text, want := range map[string]string{
		"[":                                    "unexpected EOF",
		`[{"action":"ban","source":"::/64"}]`:  `"ban" is no action; it is "allow" or "deny"`,
		`[{"action":"deny","source":"::1"}]`:   "rule 1: ",
		`[{"action":"deny","what":"::1/128"}]`: `unknown field "what"`,
		strings.Repeat(" ", maxRulesFile+1):    "larger than 1048576 bytes",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openGuard(now, nil, file); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), file+": ") {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	// What cannot be written is not in force.
	d.s.guard.file = filepath.Join(file, "nowhere")
	if err := d.Rule(allow); err == nil || len(d.Rules()) != 1 {
		t.Errorf("%v, %v", err, d.Rules())
	}
}

// TestDefenceLinesAreBounded: a flood from forged sources writes a hundred lines a second, and says how many it left
// out.
func TestDefenceLinesAreBounded(t *testing.T) {
	var log strings.Builder
	g := &guard{log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	st := &state{}
	for i := range 1000 {
		g.line(now, st, &defence.Change{Kind: defence.Source, Standing: defence.Refused, Source: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)}, "")
	}
	if n := strings.Count(log.String(), "\n"); n != maxDefenceLines {
		t.Errorf("%d lines", n)
	}
	log.Reset()
	g.line(now.Add(time.Second), st, &defence.Change{Source: netip.MustParsePrefix("10.0.0.1/32")}, "10.0.0.1")
	if want := fmt.Sprintf("action=admitted address=10.0.0.1 source=10.0.0.1/32 passwords=0 names=0 unlogged=%d\n", 1000-maxDefenceLines); !strings.HasSuffix(log.String(), want) {
		t.Errorf("%s, want %s", log.String(), want)
	}
}
