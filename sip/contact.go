package sip

import "bytes"

// Star says whether the Contact header fields of a message have the value "*" (RFC 3261 §20.10), which a
// REGISTER may have alone and with an expiry of zero (§10.3 step 6).
type Star uint8

// What a message's Contacts may be. The zero value is NoStar: none of them is "*".
const (
	NoStar    Star = iota
	LoneStar       // the one value is "*"
	MixedStar      // "*" stands with others: the request is wrong
)

// Star tells whether "*" stands among the Contacts. Values does not read it: it is no URI.
func (m *Message) Star() Star {
	stars, others := 0, 0
	for i := m.Index(HeaderContact); i >= 0; i = m.Next(i) {
		value := m.slice(&m.fields[i])
		if bytes.IndexByte(value, '*') < 0 {
			others++
			continue
		}
		for value != nil {
			var star bool
			if star, value = cutStar(value); star {
				stars++
			} else {
				others++
			}
		}
	}
	switch {
	case stars == 0:
		return NoStar
	case stars == 1 && others == 0:
		return LoneStar
	}
	return MixedStar
}

// cutStar tells whether the first value of a comma list is "*", and returns what is behind its comma. What
// is malformed is no star and ends the list.
func cutStar(b []byte) (star bool, rest []byte) {
	i := skipLWS(b, 0)
	if i < len(b) && b[i] == '*' {
		if i = skipLWS(b, i+1); i == len(b) {
			return true, nil
		}
		if b[i] == ',' {
			return true, b[i+1:]
		}
	}
	var n NameAddr
	rest, _, _ = n.parse(b)
	return false, rest
}
