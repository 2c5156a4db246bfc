package sip

// CSeq is the value of a CSeq header field (RFC 3261 §20.16). The method is compared with its case.
type CSeq struct {
	Number uint32 // less than 2^31
	Method Method
}

// ParseCSeq reads 1*DIGIT LWS Method.
func ParseCSeq(b []byte) (c CSeq, err error) {
	if at, reason := c.parse(b, ""); reason != "" {
		return CSeq{}, &SyntaxError{Header: HeaderCSeq, Offset: at, Reason: reason}
	}
	return c, nil
}

// parse reads the value into c. The method is most likely the one given, that of the request.
func (c *CSeq) parse(b []byte, likely Method) (at int, reason string) {
	i := skipDigits(b, 0)
	n, over, ok := parseUint(b[:i], MaxCSeq)
	if !ok || over {
		return 0, "not a number below 2147483648"
	}
	c.Number = uint32(n)
	method := skipLWS(b, i)
	if method == i {
		return i, "no white space behind the number"
	}
	if likely != "" && string(b[method:]) == string(likely) {
		c.Method = likely
		return 0, ""
	}
	if end := skipToken(b, method); end == method || end < len(b) {
		return end, "not a method"
	}
	c.Method = methodOf(b[method:])
	return 0, ""
}

// CSeqMethod is the method of the CSeq, also of one whose number cannot be read; empty if there is none. It is what a
// response is matched by (RFC 3261 §17.1.3).
func (m *Message) CSeqMethod() Method {
	value, _ := m.Value(HeaderCSeq)
	var c CSeq
	if _, reason := c.parse(value, ""); reason == "" {
		return c.Method
	}
	start := len(value)
	for start > 0 && is(value[start-1], classToken) {
		start--
	}
	if start == 0 || start == len(value) || !is(value[start-1], classLWS) {
		return ""
	}
	return methodOf(value[start:])
}

// Append appends the value.
func (c CSeq) Append(dst []byte) []byte {
	dst = appendUint(dst, uint64(c.Number))
	dst = append(dst, ' ')
	return append(dst, c.Method...)
}
