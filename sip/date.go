package sip

import "time"

const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// AppendDate appends a SIP-date: RFC 1123 in GMT (RFC 3261 §20.17).
func AppendDate(dst []byte, t time.Time) []byte { return t.UTC().AppendFormat(dst, dateLayout) }

// ParseDate reads a SIP-date. A day of one digit is taken too; a zone other than GMT is not: RFC 4475
// §3.1.2.12.
func ParseDate(b []byte) (t time.Time, ok bool) {
	t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 GMT", string(b))
	return t, err == nil
}
