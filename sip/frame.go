package sip

import "bytes"

// Frame finds the first message in what a stream brought so far (RFC 3261 §18.3, §7.5).
//
// It returns how many bytes to skip before the message (empty lines: CRLFs are keep-alives), and the message's
// length behind them: 0 if more must come. A message that cannot be bounded is an error, after which the
// stream is of no use: its header section is larger than maxHead or its body than maxBody, or it has no
// Content-Length that can be read; known is then the length of the header section if that was complete,
// so that a request can still be answered. A response without a Content-Length has no body if it has no
// Content-Type (RFC 3261 §20.15): phones leave both out, and others wait for what it says. The offset of the error is
// counted behind skip.
func Frame(b []byte, maxHead, maxBody int) (skip, length, known int, err error) {
	skip = skipEmptyLines(b)
	b = b[skip:]
	if len(b) == 0 || len(b) == 1 && b[0] == '\r' {
		return skip, 0, 0, nil
	}
	head := HeadLength(b[:min(len(b), maxHead)])
	if head == 0 {
		if len(b) >= maxHead {
			return skip, 0, 0, &SyntaxError{Offset: maxHead, Reason: "the header section is too long", TooLarge: true}
		}
		return skip, 0, 0, nil
	}
	body, at, reason := contentLength(b[:head])
	if reason == noContentLength && bodiless(b[:head]) {
		return skip, head, head, nil
	}
	if reason != "" {
		return skip, 0, head, &SyntaxError{Header: HeaderContentLength, Offset: at, Reason: reason}
	}
	if body > uint64(maxBody) {
		return skip, 0, head, &SyntaxError{Header: HeaderContentLength, Offset: at, Reason: "the body is too long", TooLarge: true}
	}
	if uint64(len(b)-head) < body {
		return skip, 0, 0, nil
	}
	return skip, head + int(body), head, nil
}

// contentLength reads the Content-Length of a header section, and says where it stands or is wrong. Two that differ are
// an error, so that nobody else frames the stream in another way.
func contentLength(head []byte) (n uint64, at int, reason string) {
	found := false
	for line := 0; line < len(head); {
		next := line + bytes.IndexByte(head[line:], '\n') + 1
		// RFC 3261 §7.3.1: a line that begins with white space goes on with the one before.
		for next < len(head) && (head[next] == ' ' || head[next] == '\t') {
			next += bytes.IndexByte(head[next:], '\n') + 1
		}
		if value := contentLengthValue(head[:next], line); value >= 0 {
			size, _, ok := parseUint(trimLWS(head[value:next]), MaxDeltaSeconds)
			if !ok {
				return 0, value, "not a number of bytes"
			}
			if found && size != n {
				return 0, line, reasonTwice
			}
			n, at, found = size, value, true
		}
		line = next
	}
	if !found {
		return 0, len(head), noContentLength
	}
	return n, at, ""
}

// noContentLength is what is wrong with a message that has none.
const noContentLength = "a message on a stream must have one"

// isResponse reports whether a header section begins with a status-line.
func isResponse(head []byte) bool { return len(head) >= 4 && foldIs(head[:4], "sip/") }

// bodiless reports whether a header section is that of a response that has no Content-Type.
func bodiless(head []byte) bool {
	if !isResponse(head) {
		return false
	}
	for line := 0; line < len(head); line += bytes.IndexByte(head[line:], '\n') + 1 {
		if headerValue(head, line, HeaderContentType) >= 0 {
			return false
		}
	}
	return true
}

// contentLengthValue returns the offset of the value if the line that starts at i is a Content-Length, or
// -1.
func contentLengthValue(b []byte, i int) int {
	if c := b[i] | 0x20; c != 'c' && c != 'l' {
		return -1
	}
	return headerValue(b, i, HeaderContentLength)
}

// headerValue returns the offset of the value if the line that starts at i is that header field, or -1.
func headerValue(b []byte, i int, h Header) int {
	end := skipToken(b, i)
	if HeaderOf(b[i:end]) != h {
		return -1
	}
	for end < len(b) && (b[end] == ' ' || b[end] == '\t') {
		end++
	}
	if end == len(b) || b[end] != ':' {
		return -1
	}
	return skipLWS(b, end+1)
}
