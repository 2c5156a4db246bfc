// Command bench runs Biloxi and a tuned Kamailio side by side and writes docs/benchmarks.md: `make bench`.
//
// It needs Debian's kamailio and kamailio-tls-modules; for the durable scenarios kamailio-sqlite-modules, and
// kamailio-postgres-modules with postgresql. What is not installed is left out, and the report says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// harness is what all scenarios use.
type harness struct {
	biloxi    string // programs
	kamailio  string
	dir       string // of everything that is written but the report
	runs      int
	temporary bool // dir is removed at the end
	duration  time.Duration
	users     int
	pause     time.Duration // between runs
	profiles  string        // folder; empty: nothing is profiled
	profiled  string        // name of the profiles that are being written
	certs     string
	out       report
}

func main() {
	h := harness{}
	file := flag.String("out", "docs/benchmarks.md", "report to write; what stands in the .json beside it and is not measured again stays")
	only := flag.String("scenarios", "", "names, separated by spaces or commas; a section's name stands for all of it; empty: all")
	list := flag.Bool("list", false, "list the scenarios and end")
	flag.StringVar(&h.biloxi, "biloxi", "bin/biloxi", "program to measure")
	flag.StringVar(&h.kamailio, "kamailio", "kamailio", "program to compare with")
	flag.StringVar(&h.dir, "dir", "", "folder for data and logs; empty: a temporary one")
	flag.IntVar(&h.runs, "runs", 5, "runs of each, in turns")
	flag.DurationVar(&h.duration, "duration", 5*time.Second, "of each run")
	flag.IntVar(&h.users, "users", 10000, "subscribers, where the scenario does not say")
	flag.DurationVar(&h.pause, "pause", 500*time.Millisecond, "between runs")
	flag.StringVar(&h.profiles, "profiles", "", "folder: write a CPU and an allocation profile of Biloxi for each scenario there instead of comparing (-biloxi must be built with -tags profile)")
	flag.Parse()
	if *list {
		for _, s := range scenarios {
			fmt.Printf("%-22s %-8s %s\n", s.name, s.section, s.title)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := h.run(ctx, *file, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (h *harness) run(ctx context.Context, file, only string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	unlock, err := alone()
	if err != nil {
		return err
	}
	defer unlock()
	if err := h.prepare(); err != nil {
		return err
	}
	if h.temporary {
		defer os.RemoveAll(h.dir)
	}
	if h.profiles != "" {
		return h.profileAll(ctx, chosen)
	}
	if err := h.out.load(file); err != nil {
		return err
	}
	missed := 0
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		row := s.run(ctx, h, s)
		if ctx.Err() != nil {
			break
		}
		fmt.Printf("%-22s %s\n", s.name, row.line())
		if !row.Met {
			missed++
		}
		if row.Skipped == "" || !h.out.has(s.name) {
			h.out.put(row)
		}
		if err := h.out.save(file, h); err != nil {
			return err
		}
	}
	fmt.Printf("%d scenarios, %d targets missed; %s is written\n", len(chosen), missed, file)
	return ctx.Err()
}

// alone sees to it that one harness runs at a time: two would measure each other, and share ports.
func alone() (unlock func(), err error) {
	name := filepath.Join(os.TempDir(), "biloxi-bench.lock")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another benchmark is under way (%s): %w", name, err)
	}
	return func() { f.Close() }, errors.Join(isFree(biloxiPort), isFree(kamailioPort))
}

// choose finds the scenarios of a list of names and sections.
func choose(only string) (chosen []scenario, err error) {
	names := strings.FieldsFunc(only, func(r rune) bool { return r == ' ' || r == ',' })
	if len(names) == 0 {
		return scenarios, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(scenarios, func(s scenario) bool { return s.name == name || strings.EqualFold(s.section, name) }) {
			return nil, fmt.Errorf("there is no scenario %q: -list names them", name)
		}
	}
	for _, s := range scenarios {
		if slices.ContainsFunc(names, func(name string) bool { return s.name == name || strings.EqualFold(s.section, name) }) {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// prepare makes the folder and the certificate.
func (h *harness) prepare() (err error) {
	if _, err := exec.LookPath(h.kamailio); err != nil && h.profiles == "" {
		return fmt.Errorf("%w: apt-get install kamailio kamailio-tls-modules kamailio-sqlite-modules kamailio-postgres-modules postgresql", err)
	}
	if h.dir == "" {
		if h.dir, err = os.MkdirTemp("", "biloxi-bench-"); err != nil {
			return err
		}
		h.temporary = true
	}
	if h.dir, err = filepath.Abs(h.dir); err != nil {
		return err
	}
	if h.biloxi, err = filepath.Abs(h.biloxi); err != nil {
		return err
	}
	if _, err := os.Stat(h.biloxi); err != nil {
		return errors.New("there is no " + h.biloxi + ": make build")
	}
	// Servers inherit it, once it was set: thousands of connections are opened.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	h.certs = filepath.Join(h.dir, "tls")
	return makeCertificate(h.certs)
}
