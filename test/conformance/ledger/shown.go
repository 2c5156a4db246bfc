package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Shown maps a row's ID to the files, relative to the root of the module, that have a subtest of that
// name.
type Shown map[string][]string

// findShown reads all test files under root, and those of siptest, whose suites are subtests too. A
// string that is a row's ID is taken for the name of a subtest; the run then sees whether it is one. The
// number of a trap looks like the name of a timer, so it counts only where Run is called with it.
func findShown(root string) (Shown, error) {
	shown := Shown{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "test/conformance/ledger" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") && !(strings.HasPrefix(name, "siptest/") && strings.HasSuffix(name, ".go")) {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		shown.add(name, file)
		return nil
	})
	for _, files := range shown {
		slices.Sort(files)
	}
	return shown, err
}

func (s Shown) add(name string, file *ast.File) {
	note := func(e ast.Expr, trap bool) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		text, _ := strconv.Unquote(lit.Value)
		for _, id := range idsOf(text) {
			if (group(id) == "T") == trap && !slices.Contains(s[id], name) {
				s[id] = append(s[id], name)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			note(n, false)
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Run" && len(n.Args) == 2 {
				note(n.Args[0], true)
			}
		}
		return true
	})
}

// idsOf returns the row IDs in a subtest's name: "RG-032", or "RG-032/T6" for one test that shows both.
// A name with anything else in it has none.
func idsOf(name string) []string {
	ids := strings.Split(name, "/")
	for _, id := range ids {
		if !idPattern.MatchString(id) {
			return nil
		}
	}
	return ids
}
