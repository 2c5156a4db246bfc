package main

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"
)

// Ledger is all rows with how they stand.
type Ledger struct {
	Rows    []Row // of the RFCs
	Traps   []Row
	Reasons Reasons
	Shown   Shown
}

// Entry is how one row stands.
type Entry struct {
	Row
	State  State
	Why    string   // why it does not hold, or a remark
	Places []string // the files whose tests show it
}

// entry returns how a row stands by its tests and reasons; an empty state is a row that nobody explained.
func (l *Ledger) entry(r Row) Entry {
	e := Entry{Row: r, Places: l.Shown[r.ID]}
	reason, own := l.Reasons.Of(r.ID)
	if len(e.Places) > 0 {
		e.State = Holds
		if own {
			e.Why = reason.Why
		}
		return e
	}
	e.State, e.Why = reason.State, reason.Why
	return e
}

// Check says what is wrong with the ledger: a row that neither has a test nor a reason, one that has both,
// a test or a reason for a row that does not exist.
func (l *Ledger) Check() []string {
	var wrong []string
	known := map[string]bool{}
	for _, r := range append(append([]Row(nil), l.Rows...), l.Traps...) {
		known[r.ID], known[group(r.ID)] = true, true
		e := l.entry(r)
		reason, own := l.Reasons.Of(r.ID)
		switch {
		case e.State == "":
			wrong = append(wrong, r.ID+": no subtest shows it, and no reason stands in reasons.tsv")
		case e.State == Holds && own && reason.State != "":
			wrong = append(wrong, fmt.Sprintf("%s: %s shows it, but reasons.tsv says %s", r.ID, e.Places[0], reason.State))
		}
	}
	for id, files := range l.Shown {
		if !known[id] {
			wrong = append(wrong, fmt.Sprintf("%s: %s names it, but there is no such row", id, files[0]))
		}
	}
	for id := range l.Reasons {
		if !known[id] {
			wrong = append(wrong, id+": reasons.tsv names it, but there is no such row")
		}
	}
	return wrong
}

// CheckRun says which rows have a test in the source that did not run and pass.
func (l *Ledger) CheckRun(outcomes map[string]*Outcome) []string {
	var wrong []string
	for _, r := range append(append([]Row(nil), l.Rows...), l.Traps...) {
		if len(l.Shown[r.ID]) == 0 {
			continue
		}
		switch o := outcomes[r.ID]; {
		case o == nil:
			wrong = append(wrong, fmt.Sprintf("%s: %s names it, but no subtest of that name ran", r.ID, l.Shown[r.ID][0]))
		case len(o.Bad) > 0:
			wrong = append(wrong, r.ID+": "+strings.Join(o.Bad, ", "))
		}
	}
	return wrong
}

// Print prints the ledger for a terminal.
func (l *Ledger) Print(w io.Writer) {
	fmt.Fprintln(w, l.counts(l.Rows, "rows"))
	fmt.Fprintln(w, l.counts(l.Traps, "traps"))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range append(append([]Row(nil), l.Rows...), l.Traps...) {
		e := l.entry(r)
		fmt.Fprintf(t, "%s\t%s\t%s\n", e.ID, e.State, e.Why)
	}
	t.Flush()
}

func (l *Ledger) counts(rows []Row, what string) string {
	n := map[State]int{}
	for _, r := range rows {
		n[l.entry(r).State]++
	}
	return fmt.Sprintf("%d %s: %d hold, %d not yet, %d not applicable", len(rows), what, n[Holds], n[NotYet], n[NotApplicable])
}

// groups names the two letters of a row's ID, in the order of the document.
var groups = []struct{ letters, title string }{
	{"RG", "Registrar"},
	{"DG", "Digest authentication"},
	{"TL", "TLS and sips"},
	{"TP", "Transport"},
	{"HD", "Headers, and rules of every role"},
	{"NI", "Requests other than INVITE (RFC 4320)"},
	{"PT", "Path and Service-Route"},
	{"OB", "Outbound and keep-alive"},
	{"TX", "Transactions"},
	{"PX", "Stateful proxy"},
	{"RD", "Redirect server"},
	{"LB", "Loops and breadth (RFC 5393)"},
}

// Markdown is docs/conformance.md.
func (l *Ledger) Markdown() []byte {
	var b strings.Builder
	b.WriteString(intro)
	fmt.Fprintf(&b, "**%s. %s.**\n\n", l.counts(l.Rows, "rows"), l.counts(l.Traps, "traps"))
	b.WriteString("| group | holds | not yet | not applicable |\n|---|---|---|---|\n")
	for _, g := range groups {
		n := map[State]int{}
		for _, r := range l.in(g.letters) {
			n[l.entry(r).State]++
		}
		fmt.Fprintf(&b, "| %s: %s | %d | %d | %d |\n", g.letters, g.title, n[Holds], n[NotYet], n[NotApplicable])
	}
	for _, g := range groups {
		l.table(&b, g.letters+": "+g.title, l.in(g.letters))
	}
	l.table(&b, "Traps that servers fall into", l.Traps)
	return []byte(b.String())
}

func (l *Ledger) in(letters string) []Row {
	var rows []Row
	for _, r := range l.Rows {
		if group(r.ID) == letters {
			rows = append(rows, r)
		}
	}
	return rows
}

func (l *Ledger) table(b *strings.Builder, title string, rows []Row) {
	fmt.Fprintf(b, "\n## %s\n\n| id | RFC | level | requirement | state | shown by, or why |\n|---|---|---|---|---|---|\n", title)
	for _, r := range rows {
		e := l.entry(r)
		var why []string
		for _, p := range e.Places {
			why = append(why, "["+path.Base(p)+"](../"+p+")")
		}
		text := strings.Join(why, ", ")
		if e.Why != "" {
			if text != "" {
				text += ". "
			}
			text += e.Why
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", r.ID, escape(r.Clause), escape(r.Level), escape(r.Requirement), e.State, escape(text))
	}
}

// escape keeps angle brackets and asterisks from being taken for markup.
func escape(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(s)
}

const intro = `# Conformance

Generated by ` + "`make conformance`" + `; do not edit. What is asked is in ` + "`test/conformance/rows.tsv`" + `; a row holds when a
subtest of its name runs and passes, and why any other does not is in ` + "`test/conformance/reasons.tsv`" + `. Clauses are
given as RFC, section and step. Where a row and the RFC disagree the RFC wins, and the remark says so.
Which header fields each role reads, and what it does when they are broken, is in [headers.md](headers.md).

`
