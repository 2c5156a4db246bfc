package biloxi_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	citeForm  = regexp.MustCompile(`RFC (\d{3,5})\b`)
	tableForm = regexp.MustCompile(`(?m)^\| (\d{3,5}) \| [^|]+ \| (yes|partial|no) \|`)
)

// TestCites keeps docs/rfc.md in step with the code: every RFC that a Go file names stands there, once.
func TestCites(t *testing.T) {
	doc, err := os.ReadFile("docs/rfc.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range tableForm.FindAllStringSubmatch(string(doc), -1) {
		if listed[m[1]] {
			t.Errorf("docs/rfc.md lists RFC %s twice", m[1])
		}
		listed[m[1]] = true
	}
	cited := map[string]string{}
	err = filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() != "." && strings.HasPrefix(d.Name(), ".") {
			if d != nil && d.IsDir() {
				return filepath.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		for _, m := range citeForm.FindAllStringSubmatch(string(text), -1) {
			cited[m[1]] = name
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for rfc, file := range cited {
		if !listed[rfc] {
			t.Errorf("%s names RFC %s: docs/rfc.md does not list it", file, rfc)
		}
	}
}
