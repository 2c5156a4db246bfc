package proxy

import "biloxi/sip"

// edits are changes to a message, to be made in one pass over its bytes. The texts of all are in one buffer.
type edits struct {
	list []edit
	text []byte
}

// edit puts text[from:to] in place of the bytes from start to end of the message.
type edit struct {
	start, end int
	from, to   int
}

func (e *edits) reset() { e.list, e.text = e.list[:0], e.text[:0] }

// put ends an edit whose text has been appended since it had the length from. Edits do not overlap.
func (e *edits) put(start, end, from int) {
	one := edit{start, end, from, len(e.text)}
	// They come nearly in order: an insertion sort from behind. What is inserted stands before what is
	// replaced at the same place, and behind what was inserted there before.
	i := len(e.list)
	for i > 0 && (e.list[i-1].start > start || e.list[i-1].start == start && start == end && e.list[i-1].end > start) {
		i--
	}
	e.list = append(e.list, edit{})
	copy(e.list[i+1:], e.list[i:])
	e.list[i] = one
}

// cut removes bytes of the message.
func (e *edits) cut(start, end int) { e.put(start, end, len(e.text)) }

// line inserts a header field before the byte at.
func (e *edits) line(at int, h sip.Header, value []byte) {
	from := len(e.text)
	e.text = sip.AppendField(e.text, h, value)
	e.put(at, at, from)
}

// append appends the message b with the edits made.
func (e *edits) append(dst, b []byte) []byte {
	at := 0
	for _, one := range e.list {
		dst = append(dst, b[at:one.start]...)
		dst = append(dst, e.text[one.from:one.to]...)
		at = one.end
	}
	return append(dst, b[at:]...)
}

// lineSpan is where header field i stands, with its CRLF.
func lineSpan(m *sip.Message, i int) span {
	line := m.Line(i)
	start := m.Offset(line)
	return span{start, start + len(line)}
}
