package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// TestInStep keeps the tables, the tests in the tree and docs/conformance.md together: a row that is said
// to hold has a subtest of its name, one that is not has a reason, and the document says the same.
func TestInStep(t *testing.T) {
	l, err := readLedger(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range l.Check() {
		t.Error(w)
	}
	if len(l.Rows) != 362 || len(l.Traps) != 18 {
		t.Errorf("%d rows and %d traps", len(l.Rows), len(l.Traps))
	}
	doc, err := os.ReadFile(root + "/" + docFile)
	if err != nil || !bytes.Equal(doc, l.Markdown()) {
		t.Errorf("%s is out of step (%v): make conformance", docFile, err)
	}
	for _, r := range l.Rows {
		if !slices.ContainsFunc(groups, func(g struct{ letters, title string }) bool { return g.letters == group(r.ID) }) {
			t.Errorf("%s: its group is not in the document", r.ID)
		}
	}
}

// TestCheck sees that the ledger notices a row without test or reason, and one with both.
func TestCheck(t *testing.T) {
	l := &Ledger{
		Rows:    []Row{{ID: "RG-001"}, {ID: "RG-002"}, {ID: "RG-003"}, {ID: "PX-001"}, {ID: "PX-002"}},
		Traps:   []Row{{ID: "T1"}},
		Reasons: Reasons{"RG-002": {State: NotYet}, "PX": {State: NotYet}, "T1": {State: NotYet}, "TX-009": {State: NotYet}},
		Shown:   Shown{"RG-001": {"a"}, "RG-002": {"a"}, "PX-002": {"a"}, "ZZ-001": {"a"}},
	}
	want := []string{"RG-002: a shows it", "RG-003: no subtest", "ZZ-001: a names it", "TX-009: reasons.tsv names it"}
	got := l.Check()
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q", got)
	}
}

// TestOutcomes reads a run in which one row passed, one failed, one was skipped and one did not run.
func TestOutcomes(t *testing.T) {
	const out = `{"Action":"run","Package":"p","Test":"TestA/RG-001"}
# not JSON
{"Action":"pass","Package":"p","Test":"TestA/RG-001"}
{"Action":"pass","Package":"p","Test":"TestA/RG-002/T6"}
{"Action":"fail","Package":"p","Test":"TestA/UDP/RG-003"}
{"Action":"skip","Package":"p","Test":"TestA/RG-004/tcp"}
{"Action":"pass","Package":"p"}
{"Action":"pass","Package":"p","Test":"T9"}`
	got, err := readOutcomes(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	l := &Ledger{Shown: Shown{}}
	for _, id := range []string{"RG-001", "RG-002", "RG-003", "RG-004", "RG-005", "T6"} {
		l.Rows = append(l.Rows, Row{ID: id})
		l.Shown[id] = []string{"a_test.go"}
	}
	wrong := strings.Join(l.CheckRun(got), "\n")
	want := "RG-003: fail p TestA/UDP/RG-003\nRG-004: skip p TestA/RG-004/tcp\nRG-005: a_test.go names it, but no subtest of that name ran"
	if wrong != want {
		t.Errorf("got\n%s\nwant\n%s", wrong, want)
	}
}

func TestIDsOf(t *testing.T) {
	for name, want := range map[string]string{"RG-032": "RG-032", "RG-032/T6": "RG-032,T6", "RG-032 and": "", "RG-32": "", "T5": "T5", "": ""} {
		if got := strings.Join(idsOf(name), ","); got != want {
			t.Errorf("%q has %q, not %q", name, got, want)
		}
	}
}
