package subscriber

import (
	"fmt"
	"strings"

	"biloxi/sip"
)

// ParseAOR reads an address of record as people write it: `bob@domain`, `sip:bob@domain` or
// `sips:bob@domain`, escapes in the user decoded, the domain made canonical. It has no port, parameters or
// headers. Errors wrap ErrInvalid.
func ParseAOR(aor string) (user, domain string, err error) {
	rest := aor
	scheme, after, ok := strings.Cut(aor, ":")
	if ok && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) {
		rest = after
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return "", "", fmt.Errorf("%w: %q is not user@domain", ErrInvalid, aor)
	}
	user = rest[:at]
	if strings.Contains(user, "%") {
		user = string(sip.AppendUnescaped(nil, []byte(user)))
	}
	if err = ValidateUser(user); err != nil {
		return "", "", err
	}
	if domain, err = CanonicalDomain(rest[at+1:]); err != nil {
		return "", "", err
	}
	return user, domain, nil
}

// AppendAOR appends the AOR of a user as a URI: sip:user@domain, with the escapes that the user needs
// (RFC 3261 §25.1 user).
func AppendAOR(dst []byte, user, domain string) []byte {
	dst = append(dst, "sip:"...)
	dst = sip.AppendEscapedUser(dst, []byte(user))
	dst = append(dst, '@')
	return append(dst, domain...)
}
