package sip

// Algorithm is a digest algorithm of RFC 7616 and RFC 8760. The zero value is none.
type Algorithm uint8

// The algorithms, in the order of RFC 8760's preference from last to first.
const (
	NoAlgorithm Algorithm = iota
	MD5
	SHA256
	SHA512_256
)

var algorithmNames = [...]string{"", "MD5", "SHA-256", "SHA-512-256"}

// String returns the name as it stands in a challenge.
func (a Algorithm) String() string {
	if int(a) < len(algorithmNames) {
		return algorithmNames[a]
	}
	return ""
}

// Size is the number of bytes of a digest; twice that many hex digits stand on the wire.
func (a Algorithm) Size() int {
	switch a {
	case MD5:
		return 16
	case SHA256, SHA512_256:
		return 32
	}
	return 0
}

// AlgorithmOf returns the algorithm of that name, in either case; none if it is not one of these.
// A challenge or credentials without one mean MD5 (RFC 3261 §22.4); that is the caller's.
func AlgorithmOf(name []byte) Algorithm {
	for a := MD5; a <= SHA512_256; a++ {
		if equalFoldString(name, algorithmNames[a]) {
			return a
		}
	}
	return NoAlgorithm
}
