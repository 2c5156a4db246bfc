package client

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"biloxi/sip"
)

// Ladder draws who sent what to whom as the RFCs do: one lifeline for each participant, an arrow for each
// message, numbered F1, F2 …, and the messages themselves below. The zero Ladder is empty and ready.
// Participants is for one that sets the order from left to right; who is not in it is added on the right
// when first named.
type Ladder struct {
	Participants []string
	Arrows       []Arrow
}

// Arrow is one message of a Ladder.
type Arrow struct {
	From, To  string // participants
	Label     string // method, or status code and reason
	Transport string // as a Via has it; empty: not drawn
	Note      string // drawn behind the label; empty: nothing
	Message   []byte // as it went over the wire; nil: not listed below
}

// Add adds an arrow. An empty label stands for what the message is, by LabelOf; the transport drawn is
// that of the message's topmost Via. The message is kept, not copied.
func (l *Ladder) Add(from, to, label string, message []byte) {
	a := Arrow{From: from, To: to, Label: label, Message: message}
	var m sip.Message
	if m.Parse(message) == nil {
		if via, err := m.Via(); err == nil {
			a.Transport = string(via.TransportName)
		}
	}
	if a.Label == "" {
		a.Label = LabelOf(message)
	}
	l.AddArrow(a)
}

// AddArrow adds an arrow that says everything itself.
func (l *Ladder) AddArrow(a Arrow) { l.Arrows = append(l.Arrows, a) }

// LabelOf names a message: the method of a request, the status code and reason of a response.
func LabelOf(message []byte) string {
	var m sip.Message
	if m.Parse(message); m.IsResponse() {
		return strings.TrimSpace(fmt.Sprintf("%d %s", m.StatusCode(), m.Reason()))
	}
	if m.IsRequest() {
		return string(m.Method())
	}
	return "(not a message)"
}

// Append draws the ladder and lists the messages. What a terminal could take for a command is replaced.
func (l *Ladder) Append(dst []byte) []byte {
	dst = l.AppendDrawing(dst)
	return l.AppendMessages(dst)
}

// The drawing's measures, in columns.
const (
	ladderMargin = 3  // left of the first name
	ladderGap    = 24 // at least, from lifeline to lifeline
	ladderLabel  = 60 // at most, of a label; a reason phrase can be as long as a message
	ladderAir    = 2  // at least, between a label and the lifelines at its sides
)

// AppendDrawing draws the lifelines and arrows.
func (l *Ladder) AppendDrawing(dst []byte) []byte {
	names, at := l.participants()
	columns := l.columns(names, at)
	row := func(put func(line []rune)) {
		line := make([]rune, columns[len(columns)-1]+1)
		for i := range line {
			line[i] = ' '
		}
		for _, column := range columns {
			line[column] = '|'
		}
		put(line)
		dst = append(dst, strings.TrimRight(string(line), " ")...)
		dst = append(dst, '\n')
	}
	if len(names) == 0 {
		return dst
	}
	dst = appendNames(dst, names, columns)
	row(func([]rune) {})
	for i, a := range l.Arrows {
		from, to := columns[at[a.From]], columns[at[a.To]]
		row(func(line []rune) { centre(line, a.title(i), min(from, to), max(from, to)) })
		if from != to {
			row(func(line []rune) { shaft(line, from, to) })
		}
	}
	row(func([]rune) {})
	return dst
}

// AppendMessages lists the messages, each under its number, name and direction.
func (l *Ladder) AppendMessages(dst []byte) []byte {
	for i, a := range l.Arrows {
		if a.Message == nil {
			continue
		}
		dst = fmt.Appendf(dst, "\nF%d %s %s -> %s%s\n\n", i+1, printable(a.Label), printable(a.From), printable(a.To), a.note())
		// The empty line at a message's end is the one that parts it from the next.
		dst = append(bytes.TrimRight(appendPrintable(dst, a.Message), "\n"), '\n')
	}
	return dst
}

// title is what stands on the arrow, as RFC 3665 has it: the label, then the number.
func (a Arrow) title(i int) string {
	label := []rune(printable(a.Label))
	s := fmt.Sprintf("%s F%d", string(label[:min(len(label), ladderLabel)]), i+1)
	if a.Transport != "" {
		s += " " + printable(a.Transport)
	}
	return s + a.note()
}

func (a Arrow) note() string {
	if a.Note == "" {
		return ""
	}
	return " (" + printable(a.Note) + ")"
}

// participants returns the names from left to right, and the place of each.
func (l *Ladder) participants() (names []string, at map[string]int) {
	at = map[string]int{}
	add := func(name string) {
		if _, ok := at[name]; !ok {
			at[name] = len(names)
			names = append(names, name)
		}
	}
	for _, name := range l.Participants {
		add(name)
	}
	for _, a := range l.Arrows {
		add(a.From)
		add(a.To)
	}
	return names, at
}

// columns places the lifelines so that every label and every name fits.
func (l *Ladder) columns(names []string, at map[string]int) []int {
	gaps := make([]int, max(len(names)-1, 0)) // gaps[i] is from lifeline i to i+1
	for i := range gaps {
		gaps[i] = max(ladderGap, (width(names[i])+width(names[i+1]))/2+2*ladderAir)
	}
	for i, a := range l.Arrows {
		left, right := min(at[a.From], at[a.To]), max(at[a.From], at[a.To])
		if left == right {
			continue
		}
		have := 0
		for _, gap := range gaps[left:right] {
			have += gap
		}
		// What is missing is shared by the gaps that the arrow crosses.
		need, n := width(a.title(i))+2*ladderAir+1, right-left
		for j := left; j < right && have < need; j++ {
			more := (need - have + n - 1) / n
			gaps[j] += more
			have += more
			n--
		}
	}
	columns := make([]int, len(names))
	for i := range names {
		if i == 0 {
			columns[0] = ladderMargin + width(names[0])/2
			continue
		}
		columns[i] = columns[i-1] + gaps[i-1]
	}
	return columns
}

func appendNames(dst []byte, names []string, columns []int) []byte {
	column := 0
	for i, name := range names {
		start := max(columns[i]-width(name)/2, column)
		dst = append(dst, strings.Repeat(" ", start-column)...)
		dst = append(dst, printable(name)...)
		column = start + width(name)
	}
	return append(dst, '\n')
}

// centre writes text into the line, midway between two columns and at least right of the line's start.
func centre(line []rune, text string, left, right int) {
	runes := []rune(text)
	start := max(left+(right-left+1-len(runes))/2, 0)
	for i, r := range runes {
		if start+i < len(line) {
			line[start+i] = r
		}
	}
}

// shaft draws an arrow over all lifelines between its ends.
func shaft(line []rune, from, to int) {
	for i := min(from, to) + 1; i < max(from, to); i++ {
		line[i] = '-'
	}
	if from < to {
		line[to-1] = '>'
	} else {
		line[to+1] = '<'
	}
}

func width(s string) int { return utf8.RuneCountInString(s) }

// appendPrintable appends a message with plain line ends, and \xHH for whatever is no text.
func appendPrintable(dst, message []byte) []byte {
	message = bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
	for len(message) > 0 {
		r, n := utf8.DecodeRune(message)
		switch {
		case r == '\n' || r == '\t':
			dst = append(dst, byte(r))
		case r == utf8.RuneError && n == 1, !unicode.IsPrint(r):
			for _, b := range message[:n] {
				dst = fmt.Appendf(dst, "\\x%02x", b)
			}
		default:
			dst = append(dst, message[:n]...)
		}
		message = message[n:]
	}
	return dst
}
