package client

import (
	"slices"
	"strings"

	"biloxi/sip"
)

// redirected takes the contacts of a 3xx as targets, the ones with the highest q first (RFC 3261 §8.1.3.4), and
// reports whether there is one that was not tried.
func (c *caller) redirected(m *sip.Message) bool {
	if len(c.story.Targets) > maxRedirects || c.invite.given {
		return false
	}
	list := contacts(m)
	slices.SortStableFunc(list, func(a, b Contact) int { return int(rank(b)) - int(rank(a)) })
	found := false
	for _, contact := range list {
		u, err := sip.ParseURI([]byte(contact.URI))
		if err != nil || !u.IsSIP() || slices.Contains(c.story.Targets, contact.URI) {
			continue
		}
		// RFC 3261 §8.1.3.4: sips is not left for sip.
		if strings.HasPrefix(strings.ToLower(c.inv.Target), "sips:") && u.Scheme != sip.SchemeSIPS {
			continue
		}
		u.Headers = nil
		if len(c.targets) < maxRedirects {
			c.targets = append(c.targets, u.Append(nil))
			found = true
		}
	}
	return found
}

func rank(c Contact) sip.Q {
	if !c.HasQ {
		return 1000
	}
	return c.Q
}

// contacts are those of a 3xx that can be read.
func contacts(m *sip.Message) (list []Contact) {
	values := m.Values(sip.HeaderContact)
	for values.Next() && len(list) < maxReplies {
		if c, err := contactOf(values.NameAddr); err == nil {
			list = append(list, c)
		}
	}
	return list
}
