// Package interop has other people's user agents register with Biloxi and call each other through it: sipp,
// sipsak, baresip and linphone, over UDP, TCP and TLS. Its tests have the build tag interop, and packages.txt
// names the Debian packages that they need; `make interop` runs them. With BILOXI set to a biloxi binary they
// run against `biloxi serve`, else most against a server in process; the phones' calls build the binary if it is
// not named. What is learnt here goes to docs/peers.md.
package interop
