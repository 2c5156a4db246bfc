package sip

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
	buf    []byte // the whole message, leading empty lines cut
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
	via        Via    // the topmost, once it has been read
	viaRest    []byte // what its header field has behind it
	viaRead    bool   // without an error
	err        SyntaxError
	failed     bool
	garbled    bool   // a CR alone stands in the header section
	bareLF     bool   // a line ends in LF alone: what was read so far does not count
	mended     []byte // memory of a copy whose lines end in CRLF
	unbounded  bool   // where its header section or its body ends is not known
}

// offset is where v, a slice of the message, stands in it.
func (m *Message) offset(v []byte) int { return cap(m.buf) - cap(v) }

// Offset is where v begins in [Message.Bytes]. It is a value, line, Request-URI or body that the message
// gave out, or what a value decoded from one calls its Raw, or is left over behind it.
func (m *Message) Offset(v []byte) int { return m.offset(v) }

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

// Version20 reports whether the message says SIP/2.0, in either case (RFC 3261 §7.1). One whose version
// cannot be read is malformed, not of another version: it counts as 2.0.
func (m *Message) Version20() bool { return len(m.version) == 0 || foldIs(m.version, "sip/2.0") }

// Version is the SIP-Version of the start-line as it was sent, nil if it cannot be read.
func (m *Message) Version() []byte { return m.version }

// Bounded reports whether it is known where each header field and the body end, also of a message that Parse has found an
// error in: one who passes it on need not read the rest. No CR or LF stands in it that others may take for the end of a
// line.
func (m *Message) Bounded() bool {
	return (m.method != "" || m.statusCode != 0) && !m.garbled && !m.unbounded
}

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
		if equalFoldString(m.buf[f.start:f.nameEnd], name) {
			return m.slice(f), true
		}
	}
	return nil, false
}

// Append appends the message built from its parts: the start-line, each header field by the name that it
// was given and with its value as it stands, folds included, and the body. A message that came without a
// Content-Length gets one, so that it can go out on a stream.
func (m *Message) Append(dst []byte) []byte {
	dst = m.appendStartLine(dst)
	for i := range m.fields {
		f := &m.fields[i]
		dst = append(dst, m.buf[f.start:f.nameEnd]...)
		dst = append(dst, ": "...)
		dst = append(dst, m.slice(f)...)
		dst = append(dst, "\r\n"...)
	}
	if !m.Has(HeaderContentLength) {
		return AppendEnd(dst, m.Body())
	}
	dst = append(dst, "\r\n"...)
	return append(dst, m.Body()...)
}
