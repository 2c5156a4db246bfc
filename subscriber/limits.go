package subscriber

const (
	// MaxUser is the longest user name in bytes. Its length is one byte in the Cache, and no user part of
	// a URI that people write comes near it.
	MaxUser = 255

	// MaxDomain is the longest domain name in bytes (RFC 1035 §2.3.4 without the root's dot).
	MaxDomain = 253

	// maxLabel is the longest part of a domain name between dots (RFC 1035 §2.3.4).
	maxLabel = 63

	// MaxRealm is the longest realm in bytes: it goes out in every challenge.
	MaxRealm = 255

	// MaxLine is the longest line of an import file in bytes: the longest names and hashes take 900, the
	// rest is for a password.
	MaxLine = 4 << 10
)
