package sip

import "bytes"

// Lines end in CRLF (RFC 3261 §7). Some senders write LF alone. Their lines are read, and are given their CR before
// anything else is done with the message: whoever got it as it came, and looked for CRLF alone, would take what we
// take for the body as more of the header section.

// skipEmptyLines returns the first offset that holds no empty line. RFC 3261 §7.5: CRLFs before the start-line are
// ignored.
func skipEmptyLines(b []byte) int {
	i := 0
	for i < len(b) {
		switch {
		case b[i] == '\n':
			i++
		case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
			i += 2
		default:
			return i
		}
	}
	return i
}

// appendMended appends a message with CRLF at the end of each line up to the empty one. What follows that is the body,
// which stays as it is.
func appendMended(dst, b []byte) []byte {
	for {
		nl := bytes.IndexByte(b, '\n')
		if nl < 0 {
			return append(dst, b...)
		}
		line := bytes.TrimSuffix(b[:nl], carriageReturn)
		dst = append(append(dst, line...), "\r\n"...)
		if b = b[nl+1:]; len(line) == 0 {
			return append(dst, b...)
		}
	}
}

// HeadLength is how long the header section of b is, with its empty line, from the start-line on: 0 if b has no empty
// line.
func HeadLength(b []byte) int {
	end := bytes.Index(b, emptyLine)
	if end >= 0 {
		end += len(emptyLine)
		b = b[:end]
	}
	if bare := bytes.Index(b, emptyBareLine); bare >= 0 {
		return bare + len(emptyBareLine)
	}
	return max(end, 0)
}

// What is at the end of a header section: the empty line, with the LF of the line before it.
var (
	emptyLine     = []byte("\n\r\n")
	emptyBareLine = []byte("\n\n")
)
