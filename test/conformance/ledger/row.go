package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Row is one requirement: of an RFC, or a trap that servers fall into.
type Row struct {
	ID          string // "RG-020"; "T5" for a trap
	Clause      string // "3261 10.3/6": RFC, section and step
	Level       string // the RFC's keyword, "-" if it describes without one
	Requirement string
}

// State says how a row stands.
type State string

// The states, as they are printed.
const (
	Holds         State = "holds"
	NotYet        State = "not yet"
	NotApplicable State = "not applicable"
)

// Reason says why a row does not hold, or adds a remark to one that does.
type Reason struct {
	State State // empty for a remark
	Why   string
}

// Reasons are by row ID, or by the two letters of a group for all its rows that have none of their own.
type Reasons map[string]Reason

// Of returns the reason of a row, and whether it is the row's own and not its group's.
func (r Reasons) Of(id string) (reason Reason, own bool) {
	if reason, own = r[id]; own {
		return reason, true
	}
	return r[group(id)], false
}

var idPattern = regexp.MustCompile(`^([A-Z]{2}-\d{3}|T\d{1,2})$`)

// group is the letters of a row's ID.
func group(id string) string {
	if len(id) > 2 && id[2] == '-' {
		return id[:2]
	}
	return "T"
}

// readRows reads a table of id, clause, level and requirement.
func readRows(path string) ([]Row, error) {
	var rows []Row
	seen := map[string]bool{}
	err := readTable(path, 4, func(c []string) error {
		if !idPattern.MatchString(c[0]) || seen[c[0]] {
			return fmt.Errorf("%q is no new row ID", c[0])
		}
		seen[c[0]] = true
		rows = append(rows, Row{ID: c[0], Clause: c[1], Level: c[2], Requirement: c[3]})
		return nil
	})
	return rows, err
}

// readReasons reads a table of id or group, state and why; the state "note" makes a remark.
func readReasons(path string) (Reasons, error) {
	reasons := Reasons{}
	err := readTable(path, 3, func(c []string) error {
		if _, ok := reasons[c[0]]; ok {
			return fmt.Errorf("%s stands twice", c[0])
		}
		state := State(c[1])
		switch state {
		case NotYet, NotApplicable:
		case "note":
			state = ""
		default:
			return fmt.Errorf("%q is no state", c[1])
		}
		reasons[c[0]] = Reason{State: state, Why: c[2]}
		return nil
	})
	return reasons, err
}

// readTable calls fn with the columns of every line of a tab-separated file but the first, which names
// them.
func readTable(path string, columns int, fn func([]string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		c := strings.Split(lines.Text(), "\t")
		if n == 1 {
			continue
		}
		if len(c) != columns {
			return fmt.Errorf("%s:%d: %d columns, not %d", path, n, len(c), columns)
		}
		if err := fn(c); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return lines.Err()
}
