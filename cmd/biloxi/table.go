package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
)

// table writes rows of cells in columns. Its cells come from peers, so what could command a terminal is
// taken out of them.
type table struct {
	w   *tabwriter.Writer
	out *bufio.Writer // a tabwriter writes cell by cell
}

func newTable(out io.Writer) table {
	buffered := bufio.NewWriter(out)
	return table{tabwriter.NewWriter(buffered, 0, 0, 2, ' ', 0), buffered}
}

func (t table) row(cells ...string) {
	for i, c := range cells {
		if c = printable(c); c == "" {
			c = "-"
		}
		cells[i] = c
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

func (t table) flush() {
	t.w.Flush()
	t.out.Flush()
}

// printJSON writes one value.
func (c *console) printJSON(v any) error {
	enc := json.NewEncoder(c.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// jsonArray writes values as they come, one a line, as one array. It must be ended.
type jsonArray struct {
	out   *bufio.Writer
	begun bool
}

func newJSONArray(out io.Writer) *jsonArray { return &jsonArray{out: bufio.NewWriter(out)} }

func (a *jsonArray) add(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	separator := "[\n  "
	if a.begun {
		separator = ",\n  "
	}
	a.begun = true
	_, err = fmt.Fprintf(a.out, "%s%s", separator, b)
	return err
}

func (a *jsonArray) end() error {
	if a.begun {
		a.out.WriteString("\n]\n")
	} else {
		a.out.WriteString("[]\n")
	}
	return a.out.Flush()
}

// isTerminal reports whether somebody looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// showTime writes a time for people, in UTC as the log does.
func showTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
