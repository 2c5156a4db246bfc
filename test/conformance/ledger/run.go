package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
)

// Outcome is what became of the subtests of one row.
type Outcome struct {
	Passed int
	Bad    []string // those that failed or were skipped
}

// runTests runs the packages' tests and returns the outcome by row ID. That tests failed is no error here.
func runTests(root string, packages []string) (map[string]*Outcome, error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, packages...)...)
	cmd.Dir = root
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	outcomes, err := readOutcomes(out)
	var failed *exec.ExitError
	if waited := cmd.Wait(); err == nil && waited != nil && !errors.As(waited, &failed) {
		err = waited
	}
	return outcomes, err
}

// readOutcomes reads what go test -json prints.
func readOutcomes(r io.Reader) (map[string]*Outcome, error) {
	outcomes := map[string]*Outcome{}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var e struct{ Action, Package, Test string }
			if err := json.Unmarshal(line, &e); err != nil {
				return nil, err
			}
			note(outcomes, e.Action, e.Package, e.Test)
		}
		if err == io.EOF {
			return outcomes, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func note(outcomes map[string]*Outcome, action, pkg, test string) {
	if action != "pass" && action != "fail" && action != "skip" {
		return
	}
	for _, id := range strings.Split(test, "/")[1:] {
		if !idPattern.MatchString(id) {
			continue
		}
		o := outcomes[id]
		if o == nil {
			o = &Outcome{}
			outcomes[id] = o
		}
		if action == "pass" {
			o.Passed++
		} else {
			o.Bad = append(o.Bad, action+" "+pkg+" "+test)
		}
	}
}
