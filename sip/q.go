package sip

// Q is a qvalue in thousandths: 1000 is q=1 (RFC 3261 §25.1).
type Q uint16

// ParseQ reads a qvalue: ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), and what stands for one: without the 0
// before the point, or with more digits than three.
func ParseQ(b []byte) (q Q, ok bool) {
	if len(b) > 1 && b[0] == '.' {
		return parseThousandths(0, b)
	}
	if len(b) == 0 || b[0] != '0' && b[0] != '1' {
		return 0, false
	}
	return parseThousandths(Q(b[0]-'0')*1000, b[1:])
}

// parseThousandths adds [ "." *DIGIT ] to a whole number.
func parseThousandths(q Q, b []byte) (Q, bool) {
	if len(b) == 0 {
		return q, true
	}
	if b[0] != '.' {
		return 0, false
	}
	unit := Q(100)
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		q += Q(c-'0') * unit
		unit /= 10
	}
	return q, q <= 1000
}

// Append appends the qvalue in its shortest form: "1", "0.5", "0".
func (q Q) Append(dst []byte) []byte {
	if q >= 1000 {
		return append(dst, '1')
	}
	dst = append(dst, '0')
	if q == 0 {
		return dst
	}
	dst = append(dst, '.')
	for unit := Q(100); q > 0; unit /= 10 {
		dst = append(dst, byte('0'+q/unit))
		q %= unit
	}
	return dst
}
