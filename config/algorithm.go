package config

import (
	"biloxi/sip"
)

// Algorithm is a digest algorithm, written as in a challenge.
type Algorithm sip.Algorithm

// UnmarshalText reads MD5, SHA-256 or SHA-512-256, in either case.
func (a *Algorithm) UnmarshalText(b []byte) error {
	v := sip.AlgorithmOf(b)
	if v == sip.NoAlgorithm {
		return oneOf("digest algorithm", string(b), []string{"MD5", "SHA-256", "SHA-512-256"})
	}
	*a = Algorithm(v)
	return nil
}

// MarshalText is String.
func (a Algorithm) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String returns the name as a challenge has it.
func (a Algorithm) String() string { return sip.Algorithm(a).String() }

// DigestAlgorithms returns the domain's algorithms, in order. The caller owns the slice.
func (d Domain) DigestAlgorithms() []sip.Algorithm {
	out := make([]sip.Algorithm, len(d.Algorithms))
	for i, a := range d.Algorithms {
		out[i] = sip.Algorithm(a)
	}
	return out
}
