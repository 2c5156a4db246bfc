package client

import (
	"errors"
	"strings"

	"biloxi/sip"
)

var errControl = errors.New("there is a control character in it")

// parseURI reads a URI that a person gave. Its bytes are its own.
func parseURI(s string) (sip.URI, error) {
	if hasControl(s) {
		return sip.URI{}, errControl
	}
	return sip.ParseURI([]byte(s))
}

// hasControl tells text that would break a header field in two.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// redacted is a URI for an error message: without its password.
func redacted(u sip.URI) string {
	u.Password = nil
	return string(u.Append(nil))
}

// printable replaces what a terminal could take for a command.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}
