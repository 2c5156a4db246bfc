// Package interop has other people's user agents register with Biloxi: sipp, sipsak, baresip and
// linphone, over UDP, TCP and TLS. Its tests have the build tag interop, and packages.txt names the
// Debian packages that they need; `make interop` runs them. With BILOXI set to a biloxi binary they run
// against `biloxi serve`, else against a server in process. What is learnt here goes to docs/peers.md.
package interop
