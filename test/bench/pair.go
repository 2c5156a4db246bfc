package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"biloxi/bench"
)

// measure runs biloxi bench once against a server and returns what it measured.
func (h *harness) measure(ctx context.Context, p *proc, pids []int, r *row, flags ...string) (*bench.Result, error) {
	list := make([]string, len(pids))
	for i, pid := range pids {
		list[i] = strconv.Itoa(pid)
	}
	args := append([]string{"bench", p.uri(r.scenario.transport)}, flags...)
	if p.name == "biloxi" {
		r.note(command(exec.Command(h.biloxi, append(args, "--pid", "$PID")...)))
	}
	cmd := exec.CommandContext(ctx, h.biloxi, append(args, "--json", "--pid", strings.Join(list, ","))...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var res bench.Result
	if json.Unmarshal(out.Bytes(), &res) != nil || res.Scenario == "" {
		return nil, fmt.Errorf("against %s: %v %s", p.name, err, strings.TrimSpace(errs.String()))
	}
	if s := res.Sample; s != nil {
		fmt.Fprintf(os.Stderr, "%s, %s: %d wrong %v, %d unanswered\n%s\n%s\n", r.Name, p.name, res.Wrong, res.Faults, res.Unanswered, s.Request, s.Message)
	}
	return &res, nil
}

// both starts both servers; done ends them.
func (h *harness) both(ctx context.Context, s scenario) (ours, theirs *proc, pids []int, done func(), err error) {
	db, err := h.openDatabase(ctx, s.database, s.name)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	durability := s.durability
	if durability == "" {
		durability = "none"
	}
	done = func() { ours.stop(); theirs.stop(); db.close() }
	if ours, err = h.startBiloxi(durability+"-"+strconv.Itoa(s.subscribers(h)), durability, s.subscribers(h)); err == nil {
		theirs, err = h.startKamailio(s.name, s.streams(), db)
	}
	if err != nil {
		done()
		return nil, nil, nil, nil, err
	}
	pids = []int{theirs.pid()}
	if db.pid != 0 {
		pids = append(pids, db.pid)
	}
	return ours, theirs, pids, done, nil
}

// turns runs both by turns and returns the results of each.
func (h *harness) turns(ctx context.Context, s scenario, r *row) (a, b []*bench.Result, err error) {
	ours, theirs, pids, done, err := h.both(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	r.note(h.shorten(command(ours.cmd)))
	r.note(h.shorten(command(theirs.cmd)))
	if s.subscribers(h) > window {
		// All register once; each run then has its share of them, in which no user comes twice.
		for p, pids := range map[*proc][]int{ours: {ours.pid()}, theirs: pids} {
			if _, err := h.measure(ctx, p, pids, r, append(s.flags(h), "-n", "1")...); err != nil {
				return nil, nil, err
			}
		}
	}
	for run := range h.runs {
		flags := append(s.flags(h), "-d", h.duration.String())
		if n := s.subscribers(h); n > window {
			flags = append(flags, "--users", strconv.Itoa(window), "--first", strconv.Itoa(run*window%n))
		}
		one := func() (err error) { return h.add(ctx, ours, []int{ours.pid()}, r, &a, flags) }
		other := func() (err error) { return h.add(ctx, theirs, pids, r, &b, flags) }
		if run%2 == 1 {
			one, other = other, one // who comes first may find the machine in another state
		}
		if err := one(); err != nil {
			return nil, nil, err
		}
		if err := other(); err != nil {
			return nil, nil, err
		}
	}
	return a, b, nil
}

// window is how many subscribers one run has at most: registering more before each would take minutes.
const window = 100000

// add measures once and appends the result.
func (h *harness) add(ctx context.Context, p *proc, pids []int, r *row, to *[]*bench.Result, flags []string) error {
	res, err := h.measure(ctx, p, pids, r, flags...)
	if err != nil {
		return err
	}
	*to = append(*to, res)
	sleep(ctx, h.pause)
	return nil
}

// pair compares the CPU time of one operation.
func pair(ctx context.Context, h *harness, s scenario) row {
	return h.compare(ctx, s, "µs of CPU", cpu)
}

// cpu is the server's CPU time of one operation, in µs.
func cpu(r *bench.Result) float64 {
	if r.ServerCPU == nil {
		return 0
	}
	return r.ServerCPU.Operation
}

// growth compares Biloxi with itself, by turns: with the subscribers of the scenario, and with as few as all others
// have.
func growth(ctx context.Context, h *harness, s scenario) row {
	r := s.row()
	r.Unit, r.Duration = "µs of CPU", h.duration.String()
	few := s
	few.users = 0
	large, err := h.startBiloxi("none-"+strconv.Itoa(s.users), "none", s.users)
	defer large.stop()
	if err == nil {
		_, err = h.measure(ctx, large, []int{large.pid()}, &r, append(s.flags(h), "-n", "1")...)
	}
	if err != nil {
		r.skip(err)
		return r
	}
	small, err := h.startBiloxiAt(kamailioPort, "none-"+strconv.Itoa(few.subscribers(h)), "none", few.subscribers(h))
	defer small.stop()
	var a, b []*bench.Result
	for run := range h.runs {
		if err == nil {
			err = h.add(ctx, large, []int{large.pid()}, &r, &a, append(s.flags(h), "-d", h.duration.String(),
				"--users", strconv.Itoa(window), "--first", strconv.Itoa(run*window%s.users)))
		}
		if err == nil {
			err = h.add(ctx, small, []int{small.pid()}, &r, &b, append(few.flags(h), "-d", h.duration.String()))
		}
	}
	if err != nil {
		r.skip(err)
		return r
	}
	r.compare(a, b, cpu)
	return r
}

// latency compares the 99th percentile at one rate.
func latency(ctx context.Context, h *harness, s scenario) row {
	return h.compare(ctx, s, "µs, p99", func(r *bench.Result) float64 { return r.Latency.P99 })
}

// compare runs a scenario by turns and takes the median of the ratios of each two runs.
func (h *harness) compare(ctx context.Context, s scenario, unit string, value func(*bench.Result) float64) row {
	r := s.row()
	r.Unit, r.Duration = unit, h.duration.String()
	a, b, err := h.turns(ctx, s, &r)
	if err != nil {
		r.skip(err)
		return r
	}
	r.compare(a, b, value)
	return r
}

// compare takes the median of the ratios of each two runs.
func (r *row) compare(a, b []*bench.Result, value func(*bench.Result) float64) {
	var ours, theirs, ratios []float64
	for i := range a {
		ours, theirs = append(ours, value(a[i])), append(theirs, value(b[i]))
		if theirs[i] > 0 {
			ratios = append(ratios, ours[i]/theirs[i])
		}
	}
	if len(ratios) == 0 {
		r.skip(errors.New("nothing was measured"))
		return
	}
	slices.Sort(ratios)
	r.Ours, r.Theirs = median(ours), median(theirs)
	r.Ratio, r.Low, r.High, r.Runs = median(ratios), ratios[0], ratios[len(ratios)-1], len(ratios)
	r.count(a, b)
	r.judge()
}

// median of numbers, which are sorted.
func median(n []float64) float64 {
	n = slices.Sorted(slices.Values(n))
	k := len(n) / 2
	if len(n)%2 == 0 {
		return (n[k-1] + n[k]) / 2
	}
	return n[k]
}
