package biloxi_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "biloxi"

// imports maps a package's folder ("." is the root) to what its files import, tests apart.
type imports struct {
	code  map[string][]string
	tests map[string][]string
}

func readImports(t *testing.T) imports {
	t.Helper()
	in := imports{map[string][]string{}, map[string][]string{}}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		to := in.code
		if strings.HasSuffix(name, "_test.go") {
			to = in.tests
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		to[dir] = append(to[dir], "")
		for _, spec := range file.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			to[dir] = append(to[dir], p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// mayImport is the table of floors: what a package may import of ours. One that stands here with nothing
// imports nothing of ours; one that does not stand here fails the test until somebody gives it a floor.
var mayImport = map[string][]string{
	"sip":           {},
	"tally":         {},
	"transport":     {"sip"},
	"transaction":   {"sip", "tally"},
	"resolve":       {"sip", "tally"},
	"digest":        {"sip"},
	"defence":       {},
	"location":      {"sip"},
	"subscriber":    {"sip"},
	"registrar":     {"sip", "location"},
	"redirect":      {"sip", "location"},
	"proxy":         {"sip", "location", "transaction", "resolve"},
	"store/journal": {"sip", "location", "subscriber"},
	"store/sqlite":  {"sip", "location", "subscriber"},
	"config":        {"sip"},
	"server": {"sip", "tally", "transport", "transaction", "resolve", "digest", "location", "subscriber", "registrar",
		"redirect", "proxy", "defence", "config", "store/journal", "store/sqlite"},
	"admin":      {"sip", "defence", "location", "subscriber", "config"},
	"client":     {"sip", "transport", "transaction", "digest"},
	"bench":      {"sip", "digest"},
	"siptest":    {"sip", "location", "subscriber"},
	"cmd/biloxi": {"server", "admin", "client", "bench", "config", "store/journal", "store/sqlite", "sip", "location", "subscriber", "digest"},
}

func TestFloors(t *testing.T) {
	for dir, list := range readImports(t).code {
		if dir == "." || strings.HasPrefix(dir, "test/") {
			continue
		}
		allowed, ok := mayImport[dir]
		if !ok {
			t.Errorf("%s has no floor: give it one in mayImport", dir)
			continue
		}
		for _, p := range list {
			ours, ok := strings.CutPrefix(p, module+"/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: its floor does not allow that", dir, ours)
			}
		}
	}
}

// walls are imports that a package must not have, each with its reason.
var walls = []struct {
	packages []string // folders; "*" stands for all
	not      []string // import paths; one that ends in "/" stands for all below it
	why      string
}{
	{[]string{"sip"}, []string{"net", "os", "sync", "log/slog"}, "the grammar does no I/O and holds no state"},
	{[]string{"transaction"}, []string{"net"}, "a transaction sends through what its user gives it"},
	{[]string{"registrar", "redirect"}, []string{module + "/transaction"}, "they return a response and keep nothing"},
	{[]string{"registrar", "redirect", "location", "defence"}, []string{"net", "os", "log/slog"}, "protocol logic is a function of time and input"},
	{[]string{"sip", "transport", "transaction", "resolve", "digest", "defence", "location", "subscriber", "registrar", "redirect", "proxy"},
		[]string{"database/sql", "modernc.org/", "github.com/pressly/", "net/http", "github.com/prometheus/"},
		"the floors of the protocol know no database, no web and no metrics client"},
	{[]string{"*"}, []string{module + "/siptest"}, "it is for tests"},
}

func TestWalls(t *testing.T) {
	in := readImports(t)
	for _, w := range walls {
		for dir, list := range in.code {
			if w.packages[0] != "*" && !slices.Contains(w.packages, dir) || strings.HasPrefix(dir, "test/") {
				continue // what is below test/ is tests, and what they share
			}
			for _, p := range list {
				for _, not := range w.not {
					if p == not || strings.HasSuffix(not, "/") && strings.HasPrefix(p, not) {
						t.Errorf("%s imports %s: %s", dir, p, w.why)
					}
				}
			}
		}
	}
}

// TestFlatPackages keeps the names of the house: no folder that says nothing.
func TestFlatPackages(t *testing.T) {
	for dir := range readImports(t).code {
		for _, part := range strings.Split(dir, "/") {
			if slices.Contains([]string{"internal", "pkg", "util", "utils", "common", "helpers"}, part) {
				t.Errorf("%s: %s says nothing about what it holds", dir, path.Base(part))
			}
		}
	}
}
