package config

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

// page is the generated page, from this folder.
const page = "../docs/configuration.md"

func TestReferencePage(t *testing.T) {
	want := Markdown()
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of step; run: go test ./config -run Reference -update", page)
	}
}

// TestReferenceKeys holds that the table of keys and the schema have the same keys, in the same order in
// each table.
func TestReferenceKeys(t *testing.T) {
	var inSchema, inTable []string
	collect(configType, "", &inSchema)
	for _, k := range keys {
		inTable = append(inTable, k.path)
		if k.meaning == "" {
			t.Errorf("%s has no meaning", k.path)
		}
	}
	slices.Sort(inSchema)
	slices.Sort(inTable)
	if !slices.Equal(inSchema, inTable) {
		t.Errorf("the schema has %v\nthe reference %v", inSchema, inTable)
	}
	n := 0
	for _, s := range sections {
		n += len(keysOfSection(s.header))
	}
	if n != len(keys) {
		t.Errorf("the sections show %d of %d keys", n, len(keys))
	}
}

func collect(t reflect.Type, path string, out *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		p := join(path, f.Tag.Get("toml"))
		switch {
		case isLeaf(f.Type):
			*out = append(*out, p)
		case f.Type.Kind() == reflect.Slice:
			collect(f.Type.Elem(), p+"[]", out)
		default:
			collect(f.Type, p, out)
		}
	}
}

var commentedLine = regexp.MustCompile(`(?m)^# ((\[+[a-z.]+\]+|[a-z_]+ = .*))$`)

// uncommented is the reference with all of its keys in force.
func uncommented() []byte { return commentedLine.ReplaceAll(Reference(), []byte("$1")) }

// TestReferenceParses holds that the reference file is an empty configuration, and that its keys are
// right when the comment signs are taken away: a user will do just that.
func TestReferenceParses(t *testing.T) {
	cfg, err := Parse("reference.toml", Reference(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(cfg, Default()) {
		t.Error("the reference file is not the defaults")
	}
	text := uncommented()
	// This one excludes the default of another.
	text = regexp.MustCompile(`(?m)^client_ca = .*$`).ReplaceAll(text, nil)
	if cfg, err = Parse("reference.toml", text, nil); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	def := Default()
	if !reflect.DeepEqual(cfg.Limits, def.Limits) || !reflect.DeepEqual(cfg.Location, def.Location) || !reflect.DeepEqual(cfg.Log, def.Log) {
		t.Errorf("the reference shows other defaults: %+v", cfg)
	}
}
