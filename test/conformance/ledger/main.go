// Ledger runs the tests, prints how every row of test/conformance/rows.tsv stands, and checks
// docs/conformance.md against that, or writes it. It exits with 1 if a row is neither shown nor
// explained, or if a test of a row failed.
//
//	go run ./test/conformance/ledger [-write] [package...]
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// Where things are, under the root of the module.
const (
	rowsFile    = "test/conformance/rows.tsv"
	trapsFile   = "test/conformance/traps.tsv"
	reasonsFile = "test/conformance/reasons.tsv"
	docFile     = "docs/conformance.md"
)

func main() {
	write := flag.Bool("write", false, "write "+docFile+" instead of checking it")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	if err := run(".", packages, *write); err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
}

func run(root string, packages []string, write bool) error {
	l, err := readLedger(root)
	if err != nil {
		return err
	}
	wrong := l.Check()
	outcomes, err := runTests(root, packages)
	if err != nil {
		return err
	}
	wrong = append(wrong, l.CheckRun(outcomes)...)
	l.Print(os.Stdout)
	for _, w := range wrong {
		fmt.Fprintln(os.Stderr, "ledger:", w)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d rows are wrong", len(wrong))
	}
	doc := filepath.Join(root, docFile)
	if write {
		return os.WriteFile(doc, l.Markdown(), 0o644)
	}
	if have, err := os.ReadFile(doc); err != nil || !bytes.Equal(have, l.Markdown()) {
		return fmt.Errorf("%s is out of step: make conformance", docFile)
	}
	return nil
}

// readLedger reads the tables, and finds the tests that show their rows.
func readLedger(root string) (*Ledger, error) {
	l := &Ledger{}
	var err error
	if l.Rows, err = readRows(filepath.Join(root, rowsFile)); err != nil {
		return nil, err
	}
	if l.Traps, err = readRows(filepath.Join(root, trapsFile)); err != nil {
		return nil, err
	}
	if l.Reasons, err = readReasons(filepath.Join(root, reasonsFile)); err != nil {
		return nil, err
	}
	l.Shown, err = findShown(root)
	return l, err
}
