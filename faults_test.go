package biloxi_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// faultName is the beginning of the name of a subtest that shows a mended fault: its id, and the sentence.
var faultName = regexp.MustCompile("\"([SRP][0-9]+(?: [SRP][0-9]+)*) ")

// TestFaults: each fault that was found and mended has a subtest that begins with its id.
func TestFaults(t *testing.T) {
	shown := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		b, err := os.ReadFile(name)
		for _, m := range faultName.FindAllSubmatch(b, -1) {
			for _, id := range strings.Fields(string(m[1])) {
				shown[id] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct {
		letter string
		count  int
	}{{"S", 14}, {"R", 9}, {"P", 14}} {
		for i := 1; i <= kind.count; i++ {
			if id := fmt.Sprint(kind.letter, i); !shown[id] {
				t.Errorf("no subtest begins with %s", id)
			}
		}
	}
}
