// Package client is a small user agent client: it registers, asks for and removes the bindings of an
// address of record, and sends OPTIONS, to any SIP server.
//
// It implements RFC 3261 §8.1 (requests and their answers), §10.2 (REGISTER), §11.1 (OPTIONS), §17.1.2
// (the non-INVITE client transaction), §18.1 (sending), §22.2 (credentials), RFC 3581 (rport), RFC 7616
// and RFC 8760 (digest, by package digest) and RFC 5922 §7 (whose certificate it is). Over UDP, TCP and
// TLS.
//
// It leaves out INVITE, dialogs and media; NAPTR and SRV lookups (a domain is looked up by A and AAAA);
// WebSocket; and following a 3xx, which is reported.
package client
