package sip

// CallID returns the Call-ID, compared byte by byte with its case (RFC 3261 §20.8); nil if there is none.
func (m *Message) CallID() []byte {
	v, _ := m.Value(HeaderCallID)
	return v
}

// checkCallID reads word [ "@" word ], and returns where it is wrong. It is compared, and nothing is read in it: what
// has no white space in it serves.
func checkCallID(b []byte) (at int, reason string) {
	for i, c := range b {
		if class[c]&classWord == 0 && (c <= ' ' || c == 0x7f) {
			return i, "white space or a control character"
		}
	}
	if len(b) == 0 {
		return 0, "empty"
	}
	return 0, ""
}
