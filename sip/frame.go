package sip

import "bytes"

// Frame finds the first message in what a stream brought so far (RFC 3261 §18.3, §7.5).
//
// It returns how many bytes to skip before the message (CRLFs that are keep-alives), and the message's
// length behind them: 0 if more must come. A message that cannot be bounded is an error, after which the
// stream is of no use: its header section is larger than maxHead or its body than maxBody, or it has no
// Content-Length that can be read; known is then the length of the header section if that was complete,
// so that a request can still be answered.
func Frame(b []byte, maxHead, maxBody int) (skip, length, known int, err error) {
	for skip+1 < len(b) && b[skip] == '\r' && b[skip+1] == '\n' {
		skip += 2
	}
	b = b[skip:]
	if len(b) == 0 || len(b) == 1 && b[0] == '\r' {
		return skip, 0, 0, nil
	}
	head := bytes.Index(b[:min(len(b), maxHead)], crlfcrlf)
	if head < 0 {
		if len(b) >= maxHead {
			return skip, 0, 0, &SyntaxError{Offset: maxHead, Reason: "the header section is too long", TooLarge: true}
		}
		return skip, 0, 0, nil
	}
	head += len(crlfcrlf)
	body, bad := contentLength(b[:head])
	if bad != "" {
		return skip, 0, head, &SyntaxError{Header: HeaderContentLength, Offset: skip + head, Reason: bad}
	}
	if body > maxBody {
		return skip, 0, head, &SyntaxError{Header: HeaderContentLength, Offset: skip + head, Reason: "the body is too long", TooLarge: true}
	}
	if len(b) < head+body {
		return skip, 0, 0, nil
	}
	return skip, head + body, head, nil
}

var crlfcrlf = []byte("\r\n\r\n")

// contentLength reads the Content-Length of a header section; more than one is an error, so that nobody
// else frames the stream in another way.
func contentLength(head []byte) (n int, bad string) {
	found := false
	for line := 0; line < len(head); {
		end := bytes.IndexByte(head[line:], '\n')
		if end < 0 {
			break
		}
		end += line + 1
		for end < len(head) && (head[end] == ' ' || head[end] == '\t') {
			more := bytes.IndexByte(head[end:], '\n')
			if more < 0 {
				return 0, "no CRLF ends a header field"
			}
			end += more + 1
		}
		if c := head[line]; c == 'l' || c == 'L' || c == 'c' || c == 'C' {
			nameEnd := skipToken(head, line)
			if HeaderOf(head[line:nameEnd]) == HeaderContentLength {
				colon := skipLWS(head[:end], nameEnd)
				if colon == end || head[colon] != ':' {
					return 0, "no colon behind the name"
				}
				v, over, ok := parseUint(trimLWS(head[colon+1:end]), 1<<30)
				if !ok || found {
					return 0, "not one number of bytes"
				}
				if over {
					v = 1 << 30
				}
				n, found = int(v), true
			}
		}
		line = end
	}
	if !found {
		return 0, "a message on a stream must have one"
	}
	return n, ""
}
