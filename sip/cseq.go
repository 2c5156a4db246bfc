package sip

// CSeq is the value of a CSeq header field (RFC 3261 §20.16). The method is compared with its case.
type CSeq struct {
	Number uint32 // less than 2^31
	Method Method
}

// ParseCSeq reads 1*DIGIT LWS Method.
func ParseCSeq(b []byte) (CSeq, error) {
	c, at, reason := parseCSeq(b)
	if reason != "" {
		return CSeq{}, &SyntaxError{Header: HeaderCSeq, Offset: at, Reason: reason}
	}
	return c, nil
}

func parseCSeq(b []byte) (c CSeq, at int, reason string) {
	i := 0
	for i < len(b) && is(b[i], classDigit) {
		i++
	}
	n, over, ok := parseUint(b[:i], MaxCSeq)
	if !ok || over {
		return c, 0, "not a number below 2^31"
	}
	j := skipLWS(b, i)
	if j == i || !all(b[j:], classToken) {
		return c, i, "no white space and method behind the number"
	}
	return CSeq{Number: uint32(n), Method: methodOf(b[j:])}, 0, ""
}

// Append appends the value.
func (c CSeq) Append(dst []byte) []byte {
	dst = appendUint(dst, uint64(c.Number))
	dst = append(dst, ' ')
	return append(dst, c.Method...)
}
