// Package location is the location service: which contacts an address-of-record has at the moment (RFC 3261
// §10), with what RFC 3327 (Path) and RFC 5626 (instance, reg-id, flow) ask to keep beside them.
//
// A Store keeps one Record per AOR and has one write, an atomic Change of it. Index is the table in memory
// that the embedded stores share, and Memory is a Store over nothing but that. What becomes of a REGISTER
// is the registrar's: this package knows no request.
//
// It leaves out temporary and public GRUUs (RFC 5627), which are not made yet.
package location
