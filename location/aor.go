package location

import (
	"bytes"

	"biloxi/sip"
)

// AppendAOR appends the key of an address-of-record: the user part with its escapes decoded, "@", and the
// domain, which is in its canonical lower-case form already. Two URIs that name one AOR have equal keys.
//
// RFC 3261 §10.3 step 5: URI parameters are removed and escapes are decoded; the port is no part of an AOR.
// RFC 5630 §5.2: sip and sips name the same AOR, so the scheme is left out.
func AppendAOR(dst []byte, user, domain []byte) []byte {
	dst = sip.AppendUnescaped(dst, user)
	dst = append(dst, '@')
	return append(dst, domain...)
}

// CutAOR takes a key apart into the user, decoded, and the domain. A domain has no "@".
func CutAOR(aor []byte) (user, domain []byte) {
	at := bytes.LastIndexByte(aor, '@')
	return aor[:at], aor[at+1:]
}
