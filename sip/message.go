package sip

import "bytes"

// field is one header field: offsets into the message.
type field struct {
	start, nameEnd  uint32 // of the name; start is where the line begins
	value, valueEnd uint32 // of the value, without white space at its ends
	end             uint32 // behind the line's CRLF
	next            uint16 // 1 + index of the next field of the same header, 0 if none
	header          Header
}

// Message is a request or a response, parsed in place (RFC 3261 §7).
//
// The zero Message is empty and ready for Parse. It keeps its tables from one Parse to the next, so that
// a warm one parses without allocation. It is for one goroutine at a time.
type Message struct {
	buf    []byte // the whole message, leading CRLFs cut
	fields []field
	first  [headerCount]uint16 // 1 + index of the first field
	last   [headerCount]uint16

	method     Method // of a request
	uri        []byte // of a request
	version    []byte
	statusCode int // of a response, 0 for a request
	reason     []byte
	bodyStart  int
	bodyEnd    int
	err        SyntaxError
	failed     bool
}

// Parse reads one message that b holds, as a datagram does: what is behind the body by Content-Length is
// cut off, and without a Content-Length the body goes on to the end (RFC 3261 §18.3). The message refers
// to b until the next Parse.
//
// On a syntax error the error says which header field and offset. The message then holds what could be
// read all the same, all of its well-formed lines, so that a request can be answered with 400 if
// [Message.Answerable].
func (m *Message) Parse(b []byte) error {
	m.reset(b)
	pos := 0
	// RFC 3261 §7.5: CRLFs before the start-line are ignored.
	for pos+1 < len(b) && b[pos] == '\r' && b[pos+1] == '\n' {
		pos += 2
	}
	m.buf = b[pos:]
	pos = m.parseStartLine()
	if pos < 0 {
		return &m.err
	}
	pos = m.parseFields(pos)
	if pos < 0 {
		return &m.err
	}
	m.bodyStart, m.bodyEnd = pos, len(m.buf)
	if !m.failed {
		m.bound()
	}
	if m.failed {
		return &m.err
	}
	return nil
}

func (m *Message) reset(b []byte) {
	m.buf = b
	m.fields = m.fields[:0]
	clear(m.first[:])
	clear(m.last[:])
	m.method, m.uri, m.version, m.statusCode, m.reason = "", nil, nil, 0, nil
	m.bodyStart, m.bodyEnd = len(b), len(b)
	m.failed = false
}

// fail notes the first error of a message.
func (m *Message) fail(h Header, offset int, reason string) {
	if !m.failed {
		m.failed = true
		m.err = SyntaxError{Header: h, Offset: offset, Reason: reason}
	}
}

// parseStartLine reads the request-line or status-line and returns the offset behind it, or -1.
func (m *Message) parseStartLine() int {
	b := m.buf
	nl := bytes.IndexByte(b, '\n')
	if nl < 1 || b[nl-1] != '\r' {
		m.fail(HeaderNone, max(nl, 0), "no CRLF ends the start-line")
		return -1
	}
	line := b[:nl-1]
	if len(line) >= 4 && foldIs(line[:4], "sip/") {
		return m.parseStatusLine(line, nl+1)
	}
	return m.parseRequestLine(line, nl+1)
}

// RFC 3261 §7.1: Method SP Request-URI SP SIP-Version, single spaces and no white space in the URI.
func (m *Message) parseRequestLine(line []byte, next int) int {
	i := skipToken(line, 0)
	if i == 0 || i == len(line) || line[i] != ' ' {
		m.fail(HeaderNone, i, "no method and single space begin the request-line")
		return -1
	}
	j := bytes.LastIndexByte(line, ' ')
	if j <= i {
		m.fail(HeaderNone, i, "the request-line has no SIP-Version")
		return -1
	}
	m.method, m.uri, m.version = methodOf(line[:i]), line[i+1:j], line[j+1:]
	if !isVersion(m.version) {
		m.fail(HeaderNone, j+1, "the request-line does not end in a SIP-Version")
		return next
	}
	if len(m.uri) == 0 || bytes.IndexByte(m.uri, ' ') >= 0 || bytes.IndexByte(m.uri, '\t') >= 0 {
		m.fail(HeaderNone, i+1, "white space in the Request-URI")
	} else if m.uri[0] == '<' {
		m.fail(HeaderNone, i+1, "a Request-URI is not enclosed in <>")
	}
	return next
}

// RFC 3261 §7.2: SIP-Version SP Status-Code SP Reason-Phrase.
func (m *Message) parseStatusLine(line []byte, next int) int {
	i := bytes.IndexByte(line, ' ')
	if i < 0 || !isVersion(line[:i]) {
		m.fail(HeaderNone, 0, "no SIP-Version begins the status-line")
		return -1
	}
	rest := line[i+1:]
	if len(rest) < 3 || !all(rest[:3], classDigit) || len(rest) > 3 && rest[3] != ' ' {
		m.fail(HeaderNone, i+1, "the Status-Code is not three digits")
		return -1
	}
	code := int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
	if code < 100 || code > 699 {
		m.fail(HeaderNone, i+1, "the Status-Code is not in 100-699")
		return -1
	}
	m.version, m.statusCode = line[:i], code
	if len(rest) > 4 {
		m.reason = rest[4:]
	}
	return next
}

// isVersion tells a SIP-Version: "SIP" "/" 1*DIGIT "." 1*DIGIT.
func isVersion(b []byte) bool {
	if len(b) < 7 || !foldIs(b[:4], "sip/") {
		return false
	}
	dot := bytes.IndexByte(b, '.')
	return dot > 4 && all(b[4:dot], classDigit) && all(b[dot+1:], classDigit)
}

// parseFields reads the header fields up to the empty line and returns the offset of the body, or -1 if
// the header section never ends.
func (m *Message) parseFields(pos int) int {
	b := m.buf
	for {
		if pos+1 < len(b) && b[pos] == '\r' && b[pos+1] == '\n' {
			return pos + 2
		}
		if pos >= len(b) {
			m.fail(HeaderNone, pos, "no empty line ends the header section")
			return -1
		}
		end := m.lineEnd(pos)
		if end < 0 {
			m.fail(HeaderNone, pos, "no CRLF ends a header field")
			return -1
		}
		if !m.parseField(pos, end) && len(m.fields) >= MaxFields {
			return -1
		}
		pos = end
	}
}

// lineEnd returns the offset behind the CRLF of the line that starts at pos with all its folded lines
// (RFC 3261 §7.3.1), or -1.
func (m *Message) lineEnd(pos int) int {
	b := m.buf
	for at := pos; ; {
		nl := bytes.IndexByte(b[at:], '\n')
		if nl < 0 {
			return -1
		}
		at += nl + 1
		if at-2 < pos || b[at-2] != '\r' {
			m.fail(HeaderNone, at-1, "a line ends in LF without CR")
		}
		if at == len(b) || b[at] != ' ' && b[at] != '\t' {
			return at
		}
	}
}

// parseField adds the header field of b[pos:end]; false if it is malformed.
func (m *Message) parseField(pos, end int) bool {
	b := m.buf
	nameEnd := skipToken(b, pos)
	colon := nameEnd
	for colon < end && (b[colon] == ' ' || b[colon] == '\t') {
		colon++
	}
	if nameEnd == pos || colon >= end || b[colon] != ':' {
		m.fail(HeaderNone, pos, "a header field has no name and colon")
		return false
	}
	if len(m.fields) >= MaxFields {
		m.fail(HeaderNone, pos, "too many header fields")
		return false
	}
	value, valueEnd := skipLWS(b[:end], colon+1), end
	for valueEnd > value && class[b[valueEnd-1]]&classLWS != 0 {
		valueEnd--
	}
	h := HeaderOf(b[pos:nameEnd])
	m.fields = append(m.fields, field{start: uint32(pos), nameEnd: uint32(nameEnd), value: uint32(value),
		valueEnd: uint32(valueEnd), end: uint32(end), header: h})
	n := uint16(len(m.fields))
	if m.first[h] == 0 {
		m.first[h] = n
	} else {
		m.fields[m.last[h]-1].next = n
		if once[h] {
			m.fail(h, pos, "the header field stands twice")
		}
	}
	m.last[h] = n
	return true
}

// bound ends the body by Content-Length (RFC 3261 §18.3).
func (m *Message) bound() {
	v, ok := m.Value(HeaderContentLength)
	if !ok {
		return
	}
	n, over, ok := parseUint(v, MaxDatagram)
	switch {
	case !ok:
		m.fail(HeaderContentLength, m.offset(v), "not a number of bytes")
	case over || int(n) > len(m.buf)-m.bodyStart:
		m.fail(HeaderContentLength, m.offset(v), "the message ends before the body does")
	default:
		m.bodyEnd = m.bodyStart + int(n)
	}
}

// offset is where v, a slice of the message, stands in it.
func (m *Message) offset(v []byte) int { return cap(m.buf) - cap(v) }

// Bytes returns the message from its start-line to the end of its body.
func (m *Message) Bytes() []byte { return m.buf[:m.bodyEnd] }

// IsRequest reports whether the message is a request.
func (m *Message) IsRequest() bool { return m.statusCode == 0 && m.method != "" }

// IsResponse reports whether the message is a response.
func (m *Message) IsResponse() bool { return m.statusCode != 0 }

// Method is the method of a request, empty for a response.
func (m *Message) Method() Method { return m.method }

// RequestURI is the Request-URI of a request as it was sent; [ParseURI] decodes it.
func (m *Message) RequestURI() []byte { return m.uri }

// StatusCode is the status code of a response, 0 for a request.
func (m *Message) StatusCode() int { return m.statusCode }

// Reason is the reason phrase of a response.
func (m *Message) Reason() []byte { return m.reason }

// Version20 reports whether the message says SIP/2.0, in either case (RFC 3261 §7.1).
func (m *Message) Version20() bool { return foldIs(m.version, "sip/2.0") }

// Body is the body, empty if there is none.
func (m *Message) Body() []byte { return m.buf[m.bodyStart:m.bodyEnd] }

// Len is the number of header fields, in the order in which they stand.
func (m *Message) Len() int { return len(m.fields) }

// Field returns header field i, its name as written and its value.
func (m *Message) Field(i int) (h Header, name, value []byte) {
	f := &m.fields[i]
	return f.header, m.buf[f.start:f.nameEnd:f.nameEnd], m.slice(f)
}

// Line returns header field i as it stands, folds and last CRLF included.
func (m *Message) Line(i int) []byte {
	f := &m.fields[i]
	return m.buf[f.start:f.end]
}

// slice keeps the capacity of the message, by which offset finds where a value stands.
func (m *Message) slice(f *field) []byte { return m.buf[f.value:f.valueEnd] }

// Has reports whether the message has that header field.
func (m *Message) Has(h Header) bool { return m.first[h] != 0 }

// Value returns the value of the first header field h, without white space at its ends, and whether
// there is one. Folds inside are left as they are.
func (m *Message) Value(h Header) (value []byte, ok bool) {
	i := m.first[h]
	if i == 0 {
		return nil, false
	}
	return m.slice(&m.fields[i-1]), true
}

// Index returns the index of the first header field h, or -1.
func (m *Message) Index(h Header) int { return int(m.first[h]) - 1 }

// Next returns the index of the header field behind i that has the same header, or -1. It serves named
// headers and HeaderOther alike.
func (m *Message) Next(i int) int { return int(m.fields[i].next) - 1 }

// Named returns the value of the first header field of a name that this package has no Header for.
func (m *Message) Named(name string) (value []byte, ok bool) {
	for i := m.Index(HeaderOther); i >= 0; i = m.Next(i) {
		f := &m.fields[i]
		if int(f.nameEnd-f.start) == len(name) && foldEqualString(m.buf[f.start:f.nameEnd], name) {
			return m.slice(f), true
		}
	}
	return nil, false
}
