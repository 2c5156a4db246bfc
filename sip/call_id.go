package sip

// CallID returns the Call-ID, compared byte by byte with its case (RFC 3261 §20.8); nil if there is none.
func (m *Message) CallID() []byte {
	v, _ := m.Value(HeaderCallID)
	return v
}

// checkCallID reads word [ "@" word ], and returns where it is wrong.
func checkCallID(b []byte) (at int, reason string) {
	host := -1
	for i, c := range b {
		if class[c]&classWord != 0 {
			continue
		}
		if c != '@' || host >= 0 || i == 0 {
			return i, "not a word, or word@word"
		}
		host = i + 1
	}
	if len(b) == 0 || host == len(b) {
		return len(b), "not a word, or word@word"
	}
	return 0, ""
}
