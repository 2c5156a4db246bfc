package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"biloxi/bench"
)

// progress shows how a measurement goes, on a terminal alone.
type progress struct {
	console *console
	on      bool
	width   int
}

func newProgress(c *console) *progress { return &progress{console: c, on: isTerminal(c.Err)} }

func (p *progress) show(now bench.Progress) {
	if !p.on {
		return
	}
	line := fmt.Sprintf("%s %s: %s operations, %s/s", now.Stage, now.Elapsed.Round(time.Second), thousands(float64(now.Operations)), thousands(now.Rate))
	if now.Errors > 0 {
		line += fmt.Sprintf(", %s errors", thousands(float64(now.Errors)))
	}
	fmt.Fprintf(p.console.Err, "\r%-*s", p.width, line)
	p.width = len(line)
}

// end takes the line away.
func (p *progress) end() {
	if p.width > 0 {
		fmt.Fprintf(p.console.Err, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

// thousands writes a number without fraction, its digits in groups.
func thousands(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// showBench writes what was measured as a table.
func showBench(c *console, r *bench.Result) {
	c.printf("%s over %s to %s\n\n", r.Scenario, r.Transport, r.Server)
	t := newTable(c.Out)
	if n := r.Connections; n != nil {
		t.row("connections", fmt.Sprintf("%d wanted, %d opened and registered over, %d held to the end", n.Wanted, n.Opened, n.Held))
	}
	t.row("operations", fmt.Sprintf("%s in %.1f s: %s/s", thousands(float64(r.Operations)), r.Seconds, thousands(r.Rate)))
	l := r.Latency
	t.row("latency", fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s", us(l.P50), us(l.P90), us(l.P99), us(l.P999), us(l.Max)))
	t.row("requests", fmt.Sprintf("%s, %s retransmissions, %s challenged", thousands(float64(r.Requests)), thousands(float64(r.Retransmissions)), thousands(float64(r.Challenges))))
	if r.Repeated > 0 {
		t.row("repeated", thousands(float64(r.Repeated))+" answers came again, or too late")
	}
	if r.Overtaken > 0 {
		t.row("overtaken", thousands(float64(r.Overtaken))+" calls were answered before they rang")
	}
	if r.Direct > 0 {
		t.row("direct", thousands(float64(r.Direct))+" calls were not record-routed: ACK and BYE left out")
	}
	t.row("unanswered", thousands(float64(r.Unanswered)))
	t.row("wrong", wrong(r))
	showCPU(t, "server CPU", r.ServerCPU)
	if m := r.Memory; m != nil {
		memory := fmt.Sprintf("%s before, %s after", mebibytes(m.Before), mebibytes(m.After))
		if r.Connections != nil && r.Connections.Each > 0 {
			memory += fmt.Sprintf(": %.1f KiB for each connection", r.Connections.Each/1024)
		}
		t.row("server memory", memory)
	}
	showCPU(t, "tool CPU", r.ToolCPU)
	t.flush()
	if s := r.Sample; s != nil {
		showSample(c, s)
	}
}

func wrong(r *bench.Result) string {
	text := thousands(float64(r.Wrong))
	for i, name := range slices.Sorted(maps.Keys(r.Faults)) {
		text += fmt.Sprintf("%s %s %d", []string{",", ":"}[max(0, 1-i)], name, r.Faults[name])
	}
	return text
}

func showCPU(t table, name string, cpu *bench.CPU) {
	if cpu != nil {
		t.row(name, fmt.Sprintf("%.2f µs for each operation (%.2f user, %.2f system), %.2f cores", cpu.Operation, cpu.User, cpu.System, cpu.Cores))
	}
}

func showSample(c *console, s *bench.Sample) {
	for _, one := range []struct{ what, message string }{{"The request", s.Request}, {"What came", s.Message}} {
		if one.message == "" {
			continue
		}
		c.printf("\n%s (%s, the first):\n", one.what, s.Fault)
		for line := range strings.SplitSeq(strings.TrimRight(one.message, "\r\n"), "\n") {
			c.printf("  %s\n", printable(strings.TrimSuffix(line, "\r")))
		}
	}
}

// us writes microseconds.
func us(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.2f s", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f ms", n/1e3)
	}
	return fmt.Sprintf("%.0f µs", n)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
