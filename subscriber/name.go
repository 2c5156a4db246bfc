package subscriber

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Validate checks the names of a subscriber, and that it has a hash. Errors wrap ErrInvalid.
func (s *Subscriber) Validate() error {
	if err := ValidateUser(s.User); err != nil {
		return err
	}
	if canonical, err := CanonicalDomain(s.Domain); err != nil {
		return err
	} else if canonical != s.Domain {
		return fmt.Errorf("%w: domain %q is to be written %q", ErrInvalid, s.Domain, canonical)
	}
	if err := ValidateRealm(s.Realm); err != nil {
		return err
	}
	if s.HA1s.Has == 0 {
		return fmt.Errorf("%w: %s has no password", ErrInvalid, s.AOR())
	}
	return nil
}

// ValidateUser checks a user name without escapes: 1 to MaxUser bytes of UTF-8 that can be seen. A colon
// would make H(A1) of two users and realms the same.
func ValidateUser(user string) error {
	switch {
	case user == "":
		return fmt.Errorf("%w: the user is empty", ErrInvalid)
	case len(user) > MaxUser:
		return fmt.Errorf("%w: the user is longer than %d bytes", ErrInvalid, MaxUser)
	case strings.Contains(user, ":"):
		return fmt.Errorf("%w: user %q has a colon", ErrInvalid, user)
	case !visible(user):
		return fmt.Errorf("%w: user %q has a character that cannot be seen", ErrInvalid, user)
	}
	return nil
}

// ValidateRealm checks a realm: 1 to MaxRealm bytes of UTF-8, spaces allowed.
func ValidateRealm(realm string) error {
	switch {
	case realm == "":
		return fmt.Errorf("%w: the realm is empty", ErrInvalid)
	case len(realm) > MaxRealm:
		return fmt.Errorf("%w: the realm is longer than %d bytes", ErrInvalid, MaxRealm)
	case !visible(strings.ReplaceAll(realm, " ", "")):
		return fmt.Errorf("%w: realm %q has a character that cannot be seen", ErrInvalid, realm)
	}
	return nil
}

func visible(s string) bool {
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }
	return utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}

// CanonicalDomain returns a domain as it is stored and compared: a host name in lower case without a dot
// at its end, or an address, IPv6 in brackets (RFC 3261 §25.1 host). Errors wrap ErrInvalid.
func CanonicalDomain(name string) (string, error) {
	invalid := func(why string) (string, error) {
		return "", fmt.Errorf("%w: domain %q %s", ErrInvalid, name, why)
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return invalid("is no IPv6 address in brackets")
		}
		return "[" + addr.String() + "]", nil
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Is6() {
			return invalid("is an IPv6 address without brackets")
		}
		return addr.String(), nil
	}
	host := strings.ToLower(strings.TrimSuffix(name, "."))
	if host == "" || len(host) > MaxDomain {
		return invalid(fmt.Sprintf("is not of 1 to %d bytes", MaxDomain))
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabel(label) {
			return invalid("is no host name")
		}
	}
	return host, nil
}

// isLabel tells a part of a lower-case host name; the underscore is not in RFC 3261's grammar, but in
// names that people have.
func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}
