package location

import (
	"bytes"
	"crypto/sha256"
)

// FingerprintSize is the length of a fingerprint, which stands for a text that a tombstone need only recognise: a zero
// byte, which no text of SIP begins with, and the first 16 bytes of the text's SHA-256.
const FingerprintSize = 1 + 16

// AppendFingerprint appends the fingerprint of text. One of a fingerprint is that fingerprint.
func AppendFingerprint(dst, text []byte) []byte {
	if IsFingerprint(text) {
		return append(dst, text...)
	}
	sum := sha256.Sum256(text)
	return append(append(dst, 0), sum[:FingerprintSize-1]...)
}

// IsFingerprint reports whether what a binding holds is a fingerprint instead of a text.
func IsFingerprint(kept []byte) bool { return len(kept) == FingerprintSize && kept[0] == 0 }

// StandsFor reports whether kept is text, in every byte, or its fingerprint.
func StandsFor(kept, text []byte) bool {
	if !IsFingerprint(kept) || IsFingerprint(text) {
		return bytes.Equal(kept, text)
	}
	sum := sha256.Sum256(text)
	return bytes.Equal(kept[1:], sum[:FingerprintSize-1])
}
