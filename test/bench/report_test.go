package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"biloxi/bench"
)

func TestScenariosAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if seen[s.name] || !slices.Contains(sections, s.section) || !slices.Contains(bench.Scenarios, bench.Scenario(s.bench)) || s.run == nil {
			t.Errorf("%s", s.name)
		}
		seen[s.name] = true
	}
}

func TestChoose(t *testing.T) {
	for only, want := range map[string]string{"udp-call, udp-options": "udp-options udp-call", "tls": "tls-refresh tls-message tls-call", "udp-call udp-call": "udp-call"} {
		chosen, err := choose(only)
		var names []string
		for _, s := range chosen {
			names = append(names, s.name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%q: %s, %v", only, got, err)
		}
	}
	if _, err := choose("udp-dance"); err == nil {
		t.Error("a scenario that is not there was chosen")
	}
	if all, err := choose(""); err != nil || len(all) != len(scenarios) {
		t.Errorf("%d of %d, %v", len(all), len(scenarios), err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		n    []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := median(c.n); got != c.want {
			t.Errorf("%v: %v, want %v", c.n, got, c.want)
		}
	}
}

func TestKamailioConfiguration(t *testing.T) {
	for _, c := range []struct {
		config kamailioConfig
		want   string
		not    string
	}{
		{kamailioConfig{UDP: "127.0.0.1:5170"}, "disable_tcp=yes", "tls.so"},
		{kamailioConfig{UDP: "127.0.0.1:5170", Streams: true, TCP: "127.0.0.1:5170", TLS: "127.0.0.1:5171"}, "listen=tls:127.0.0.1:5171", "disable_tcp"},
		{kamailioConfig{Database: "db_sqlite", URL: "sqlite:///x", Journal: "x"}, `"x=WAL;"`, `"db_mode", 0`},
	} {
		var text strings.Builder
		if err := template.Must(template.New("").Parse(kamailioText)).Execute(&text, c.config); err != nil {
			t.Fatal(err)
		}
		if s := text.String(); !strings.HasPrefix(s, "#!KAMAILIO\n") || !strings.Contains(s, c.want) || strings.Contains(s, c.not) {
			t.Errorf("%+v:\n%s", c.config, s)
		}
	}
}

// TestReport holds that what was measured before stays when a part is measured again, and is judged.
func TestReport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	h := &harness{dir: "/nowhere", biloxi: "/nowhere/biloxi", kamailio: "/nowhere/kamailio"}
	result := func(cpu float64, wrong int64) *bench.Result {
		return &bench.Result{ServerCPU: &bench.CPU{Operation: cpu}, Wrong: wrong, Rate: 1000}
	}
	measured := func(name string, ours, theirs float64, wrong int64) row {
		i := place(name)
		r := scenarios[i].row()
		r.Unit, r.Ours, r.Theirs, r.Ratio = "µs of CPU", ours, theirs, ours/theirs
		r.count([]*bench.Result{result(ours, wrong)}, []*bench.Result{result(theirs, 0)})
		r.judge()
		return r
	}
	first := report{rows: []row{measured("udp-call", 50, 100, 0), measured("udp-options", 5, 10, 1)}}
	if err := first.save(file, h); err != nil {
		t.Fatal(err)
	}
	var again report
	if err := again.load(file); err != nil {
		t.Fatal(err)
	}
	left := scenarios[place("tls-call")].row()
	left.skip(errors.New("nothing is installed"))
	again.put(left)
	again.put(measured("udp-call", 90, 100, 0))
	text := again.markdown(h)
	for _, want := range []string{"| udp-options | OPTIONS | 5 µs of CPU | 10 | **0.50** | ratio ≤ 0.8 | **missed** |", "0 0 1 / 0 0 0",
		"| udp-call | call, record-routed | 90 µs of CPU | 100 | **0.90** | ratio ≤ 0.6 | **missed** |", "left out: nothing is installed", "## TLS"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	for _, r := range first.rows {
		if r.Met != (r.Name == "udp-call") {
			t.Errorf("%s: met is %v", r.Name, r.Met)
		}
	}
}
