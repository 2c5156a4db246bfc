// Package digest checks digest credentials and makes challenges.
//
// It implements the server's side of RFC 3261 §22, RFC 7616, RFC 2617 and RFC 8760 for SIP: MD5, SHA-256
// and SHA-512-256, qop auth and auth-int, and credentials without qop (RFC 2069); and the client's side of
// the same. It leaves out the -sess variants, userhash, username* and Authentication-Info: they are never
// offered, and credentials that use them are refused.
//
// A nonce authenticates itself, so that a challenge costs no state. What is kept is one small entry for
// each nonce that was used with valid credentials: the replay window. It has a bounded number of entries,
// and an entry that had to go can never be replayed.
package digest
