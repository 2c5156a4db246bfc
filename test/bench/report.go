package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"biloxi/bench"
)

// row is what a scenario gave.
type row struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Ours     float64  `json:"biloxi"`
	Theirs   float64  `json:"kamailio"`
	Ratio    float64  `json:"ratio,omitempty"` // median of those of the pairs
	Low      float64  `json:"ratio_low,omitempty"`
	High     float64  `json:"ratio_high,omitempty"`
	Runs     int      `json:"runs"`
	Duration string   `json:"duration,omitempty"` // of each
	Goal     string   `json:"goal,omitempty"`
	Met      bool     `json:"met"`
	Rates    string   `json:"rates,omitempty"` // operations per second of both
	P99s     string   `json:"p99s,omitempty"`
	Tool     float64  `json:"tool_cpu,omitempty"`
	Errors   string   `json:"errors,omitempty"` // retransmissions, unanswered and wrong ones of both
	Note     string   `json:"note,omitempty"`
	Skipped  string   `json:"skipped,omitempty"`
	Date     string   `json:"date"`
	Version  string   `json:"version"`
	Commands []string `json:"commands"`

	scenario scenario
}

func (s scenario) row() row {
	return row{Name: s.name, scenario: s, Date: time.Now().UTC().Format("2006-01-02 15:04"), Version: text("git", "describe", "--tags", "--always", "--dirty")}
}

func (r *row) skip(err error) {
	if err == nil {
		err = errors.New("interrupted")
	}
	r.Skipped = err.Error()
}

// note keeps a command, once.
func (r *row) note(command string) {
	if !slices.Contains(r.Commands, command) {
		r.Commands = append(r.Commands, command)
	}
}

// count sums up what the runs say beside the value.
func (r *row) count(a, b []*bench.Result) {
	of := func(all []*bench.Result, value func(*bench.Result) float64) float64 {
		var n []float64
		for _, one := range all {
			n = append(n, value(one))
		}
		return median(n)
	}
	sum := func(all []*bench.Result) (text string) {
		var again, missing, wrong int64
		for _, one := range all {
			again, missing, wrong = again+one.Retransmissions, missing+one.Unanswered, wrong+one.Wrong
		}
		return fmt.Sprintf("%d %d %d", again, missing, wrong)
	}
	rate := func(r *bench.Result) float64 { return r.Rate }
	p99 := func(r *bench.Result) float64 { return r.Latency.P99 / 1e3 }
	tool := func(r *bench.Result) float64 {
		if r.ToolCPU == nil {
			return 0
		}
		return r.ToolCPU.Operation
	}
	r.Rates = fmt.Sprintf("%.0f / %.0f", of(a, rate), of(b, rate))
	r.P99s = fmt.Sprintf("%.1f / %.1f", of(a, p99), of(b, p99))
	r.Tool = of(a, tool)
	if r.Errors = sum(a) + " / " + sum(b); r.Errors == "0 0 0 / 0 0 0" {
		r.Errors = "none"
	}
	r.Met = strings.HasPrefix(r.Errors, "none") || strings.HasPrefix(r.Errors, "0 0 0 /")
}

// judge compares with the targets.
func (r *row) judge() {
	s := r.scenario
	met := r.Skipped == "" && (r.Errors == "" || r.Met)
	if s.target > 0 {
		r.Goal = fmt.Sprintf("ratio ≤ %g", s.target)
		met = met && r.Ratio > 0 && r.Ratio <= s.target
	}
	if s.limit > 0 {
		r.Goal = fmt.Sprintf("≤ %g %s", s.limit, r.Unit)
		met = met && r.Ours <= s.limit
	}
	r.Met = met
}

// line is what a terminal is told.
func (r *row) line() string {
	if r.Skipped != "" {
		return "left out: " + r.Skipped
	}
	text := fmt.Sprintf("%.2f / %.2f %s", r.Ours, r.Theirs, r.Unit)
	if r.Ratio > 0 {
		text += fmt.Sprintf(": ratio %.2f", r.Ratio)
	}
	if r.Low > 0 {
		text += fmt.Sprintf(" (%.2f to %.2f)", r.Low, r.High)
	}
	if r.Goal != "" {
		text += ", " + r.Goal + map[bool]string{true: ": met", false: ": missed"}[r.Met]
	}
	if r.Errors != "" && r.Errors != "none" {
		text += ", errors " + r.Errors
	}
	return text
}

// report is all rows that were ever measured, the newest of each.
type report struct{ rows []row }

func (o *report) has(name string) bool {
	return slices.ContainsFunc(o.rows, func(r row) bool { return r.Name == name })
}

func (o *report) put(r row) {
	if i := slices.IndexFunc(o.rows, func(old row) bool { return old.Name == r.Name }); i >= 0 {
		o.rows[i] = r
		return
	}
	o.rows = append(o.rows, r)
}

func jsonOf(file string) string { return strings.TrimSuffix(file, ".md") + ".json" }

func (o *report) load(file string) error {
	b, err := os.ReadFile(jsonOf(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &o.rows)
}

func (o *report) save(file string, h *harness) error {
	slices.SortFunc(o.rows, func(a, b row) int { return place(a.Name) - place(b.Name) })
	b, err := json.MarshalIndent(o.rows, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(jsonOf(file), append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(o.markdown(h)), 0o644)
}

func place(name string) int {
	return slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
}

const introduction = `# Biloxi beside Kamailio

This page is written by ` + "`make bench`" + `; ` + "`make bench SCENARIOS=\"udp-call TLS\" RUNS=3`" + ` measures a part of it again, and
` + "`go run ./test/bench -list`" + ` names the parts.

Both servers run on one machine and are loaded by ` + "`biloxi bench`" + ` over loopback, in turns: one run of Biloxi, one of
Kamailio, and again, with the other one first each time. What counts is the **CPU time of the server's processes for one
operation**, user and system, all threads and children: throughput and latency move with whatever else the machine does,
and so do single runs. The ratio is the median of the ratios of each two runs that follow each other, with the lowest
and highest; below 1, Biloxi takes less. Errors are retransmissions, missing and wrong answers, of all runs together.
The phones of one run share one UDP socket, or have a connection each; what waits at a server waits in bursts.
Latency is measured at two rates: one that leaves both servers mostly idle, where it is three wake-ups of the system and
little else, and one of about half of what Kamailio manages.

Kamailio is tuned: the allocator tlsf (Debian's default is several times slower), two worker processes (one with SQLite,
whose locks it does not wait for), contacts in memory alone unless a scenario says otherwise, passwords computed from
the name, no DNS, digest with qop and nonce counts as Biloxi has it. Its configuration is
test/bench/kamailio/kamailio.cfg.tmpl. With a database, the CPU time of PostgreSQL's processes counts as Kamailio's, and
SQLite runs within it. Those who send messages and call come from a domain that neither serves, so
that neither challenges them.

`

// markdown is the page.
func (o *report) markdown(h *harness) string {
	var b strings.Builder
	b.WriteString(introduction)
	fmt.Fprintf(&b, "## Machine\n\n| | |\n|---|---|\n")
	for _, line := range h.machine() {
		fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
	}
	for _, section := range sections {
		o.section(&b, section)
	}
	b.WriteString("\n## Commands\n\n$PID stands for the process of the server; against Kamailio the same commands were run with its address.\n")
	for _, r := range o.rows {
		if len(r.Commands) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s (%s, Biloxi %s):\n\n```\n", r.Name, r.Date, r.Version)
		for _, c := range r.Commands {
			fmt.Fprintln(&b, h.shorten(c))
		}
		b.WriteString("```\n")
	}
	return b.String()
}

func (o *report) section(b *strings.Builder, section string) {
	begun := false
	for _, r := range o.rows {
		i := place(r.Name)
		if i < 0 || scenarios[i].section != section || r.Name == "growth" {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n## %s\n\n| scenario | | Biloxi | Kamailio | ratio | target | | per second | p99 ms | errors | tool µs | runs |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n", section)
			begun = true
		}
		b.WriteString(r.cells(scenarios[i].title))
	}
	for _, r := range o.rows {
		if i := place(r.Name); i >= 0 && scenarios[i].section == section && r.Note != "" {
			fmt.Fprintf(b, "\n%s: %s\n", r.Name, strings.TrimSpace(r.Note))
		}
	}
	if section == "Growth" && begun {
		o.growth(b)
	}
}

func (r *row) cells(title string) string {
	if r.Skipped != "" {
		return fmt.Sprintf("| %s | %s | left out: %s | | | | | | | | |\n", r.Name, title, strings.ReplaceAll(r.Skipped, "\n", " "))
	}
	ratio, verdict, tool, each := "", "", "", ""
	if r.Duration != "" {
		each = " of " + r.Duration
	}
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("**%.2f**", r.Ratio)
	}
	if r.Low > 0 {
		ratio += fmt.Sprintf(" (%.2f-%.2f)", r.Low, r.High)
	}
	if r.Goal != "" {
		verdict = map[bool]string{true: "met", false: "**missed**"}[r.Met]
	}
	if r.Tool > 0 {
		tool = fmt.Sprintf("%.1f", r.Tool)
	}
	return fmt.Sprintf("| %s | %s | %.4g %s | %.4g | %s | %s | %s | %s | %s | %s | %s | %d%s |\n", r.Name, title, r.Ours, r.Unit, r.Theirs, ratio,
		r.Goal, verdict, r.Rates, r.P99s, r.Errors, tool, r.Runs, each)
}

// growth says how the cost grows with the subscribers.
func (o *report) growth(b *strings.Builder) {
	at := map[string]row{}
	for _, r := range o.rows {
		at[r.Name] = r
	}
	if r := at["growth"]; r.Ratio > 0 && r.Skipped == "" {
		fmt.Fprintf(b, "\nBiloxi beside itself, by turns: among 1,000,000 subscribers a refresh costs **%.2f** times (%.2f-%.2f) what it costs among 10,000: %.4g µs, %.4g µs, %d runs (target ≤ 1.3: %s).\n",
			r.Ratio, r.Low, r.High, r.Ours, r.Theirs, r.Runs, map[bool]string{true: "met", false: "**missed**"}[r.Met])
	}
	if small, large := at["growth-10k"], at["growth-1m"]; small.Theirs > 0 && large.Theirs > 0 {
		fmt.Fprintf(b, "\nKamailio's grows %.2f-fold, between the rows above.\n", large.Theirs/small.Theirs)
	}
}

// shorten takes the folders of this run out of a command.
func (h *harness) shorten(command string) string { return strings.ReplaceAll(command, h.dir, "DIR") }

// text is what a command prints, in one line; nothing if it fails.
func text(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return first
}

// machine describes where this ran.
func (h *harness) machine() [][2]string {
	lines := [][2]string{{"Processor", field("/proc/cpuinfo", "model name")}, {"Cores", fmt.Sprint(runtime.NumCPU())},
		{"Memory", field("/proc/meminfo", "MemTotal")}, {"Kernel", kernel()}, {"Biloxi", text(h.biloxi, "version")},
		{"Go", runtime.Version()}, {"Kamailio", text(h.kamailio, "-v")}}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		lines = append(lines, [2]string{"Load average at the end", strings.Join(strings.Fields(string(load))[:3], " ")})
	}
	if v := text("psql", "--version"); v != "" {
		lines = append(lines, [2]string{"PostgreSQL", v})
	}
	return lines
}

// kernel is the system and its version, without what whoever built it has added.
func kernel() string {
	name, _, _ := strings.Cut(text("uname", "-sr"), "-")
	return name
}

// field is the value of the first line of a file in /proc with that name.
func field(file, name string) string {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		if n, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
