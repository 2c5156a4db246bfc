package digest

import "bytes"

// Text between quotes has a backslash before each quote and backslash, and may have one before any other
// character (RFC 3261 §25.1 quoted-pair).

// appendEscaped appends text as it stands between quotes.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// unescaped returns the text that stands between quotes: raw itself, or a new slice if it has escapes.
func unescaped(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
		}
		text = append(text, raw[i])
	}
	return text
}

// isText reports whether raw, between quotes, stands for the text.
func isText(raw, text []byte) bool {
	i := 0
	for _, c := range text {
		if i+1 < len(raw) && raw[i] == '\\' {
			i++
		}
		if i >= len(raw) || raw[i] != c {
			return false
		}
		i++
	}
	return i == len(raw)
}

// isWord compares ASCII text without its case; the word is lower-case.
func isWord(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
