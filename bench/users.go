package bench

import (
	"fmt"
	"strconv"
	"strings"

	"biloxi/sip"
)

// user is one subscriber's phone. The worker whose socket it uses owns it; others read its name.
type user struct {
	name     string // as it stands in a URI
	username string // as it stands in credentials
	password string
	index    uint32
	cseq     uint32 // of its registrations
	busy     bool   // a request of it is under way

	nonce  []byte // of the last challenge, nil before; the opaque behind it
	opaque int    // where the opaque begins, len(nonce) if there is none
	nc     uint32
	proxy  bool // whether the challenge was a 407
	ha1    [32]byte
	ha1Of  uint32 // which realm and algorithm the HA1 is for: login.serial; 0: none
}

// Pattern makes n subscribers whose names and passwords follow a pattern, numbered from first. In a name
// %d stands for the number, %06d for it with zeros in front; in a password also %s for the name.
func Pattern(n, first int, name, password string) ([]Subscriber, error) {
	if _, err := expand(name, 0, ""); err != nil {
		return nil, err
	}
	if n > 1 && !strings.Contains(name, "%") {
		return nil, fmt.Errorf("%q gives all users one name: it needs %%d", name)
	}
	users := make([]Subscriber, n)
	for i := range users {
		user, err := expand(name, first+i, "")
		if err != nil {
			return nil, err
		}
		secret, err := expand(password, first+i, user)
		if err != nil {
			return nil, err
		}
		users[i] = Subscriber{string(sip.AppendEscapedUser(nil, []byte(user))), secret}
	}
	return users, nil
}

// expand writes number and name into a pattern.
func expand(pattern string, n int, name string) (string, error) {
	var b strings.Builder
	for rest := pattern; ; {
		text, verb, found := strings.Cut(rest, "%")
		b.WriteString(text)
		if !found {
			return b.String(), nil
		}
		end := strings.IndexFunc(verb, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			return "", fmt.Errorf("%q ends within a %%", pattern)
		}
		width, _ := strconv.Atoi("0" + verb[:end])
		switch {
		case verb[end] == 'd' && width <= 20:
			fmt.Fprintf(&b, "%0*d", width, n)
		case verb[end] == 's' && end == 0:
			b.WriteString(name)
		case verb[end] == '%' && end == 0:
			b.WriteByte('%')
		default:
			return "", fmt.Errorf("%q: behind a %% only d, 06d, s and %% mean something", pattern)
		}
		rest = verb[end+1:]
	}
}
