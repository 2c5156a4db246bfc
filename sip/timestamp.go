package sip

import "time"

// AppendTimestamp appends the Timestamp that a 100 mirrors, if the request has one that can be read
// (RFC 3261 §8.2.6.1, §20.38), with how long the server took to answer in place of any delay it had. A
// delay under a millisecond is not worth its bytes.
func (m *Message) AppendTimestamp(dst []byte, delay time.Duration) []byte {
	v, ok := m.Value(HeaderTimestamp)
	if !ok {
		return dst
	}
	end := skipDecimal(v, 0)
	if end < 0 {
		return dst
	}
	dst = append(dst, "Timestamp: "...)
	dst = append(dst, v[:end]...)
	if ms := delay.Milliseconds(); ms > 0 {
		dst = append(dst, ' ')
		dst = appendUint(dst, uint64(ms/1000))
		dst = append(dst, '.', byte('0'+ms/100%10), byte('0'+ms/10%10), byte('0'+ms%10))
	}
	return append(dst, "\r\n"...)
}

// skipDecimal returns the offset behind 1*DIGIT [ "." *DIGIT ] and what white space must follow it, or -1.
func skipDecimal(b []byte, i int) int {
	end := skipDigits(b, i)
	if end == i {
		return -1
	}
	if end < len(b) && b[end] == '.' {
		end = skipDigits(b, end+1)
	}
	if end < len(b) && !is(b[end], classLWS) {
		return -1
	}
	return end
}
