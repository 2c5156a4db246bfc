package proxy

import (
	"time"

	"biloxi/sip"
)

// mayRecurse reports whether the contacts of a response are tried: it is configured, the user is ours (RFC 3261 §16.5),
// nobody has ended the search, and it is a 300, 301 or 302. A 305 or 380 means something else by its Contact.
func (c *ResponseContext) mayRecurse(code int) bool {
	return c.proxy.recurse && c.Targets.Responsible && !c.closed && 300 <= code && code <= 302
}

// recursion takes the SIP contacts of a 3xx into the target set (RFC 3261 §16.7 step 4) and finishes the branch; false
// if there are none that may be tried, so that the response stays as it is.
//
// Those with the highest q are tried at once, beside what still rings, the others when their turn comes.
func (c *ResponseContext) recursion(now time.Time, i int, resp *sip.Message) bool {
	if !c.recursible(resp) {
		return false
	}
	var keep edits
	rest, before := 0, c.Targets.Len()
	for j := resp.Index(sip.HeaderContact); j >= 0; j = resp.Next(j) {
		rest += c.takeContacts(now, &keep, i, resp, j)
	}
	c.readyAdded(before)
	c.stop(i)
	c.idle(i, false)
	if rest > 0 {
		c.gather(resp.StatusCode(), resp, &keep)
	} else {
		// RFC 3261 §16.7 step 4: without a contact left the response is none. Should nothing come of those
		// that were tried before, the user is not to be had.
		c.note(480)
	}
	c.proceed(now)
	c.conclude(nil)
	return true
}

// readyAdded readies the targets that were added since there were before of them, of those with the highest q.
func (c *ResponseContext) readyAdded(before int) {
	added := c.Targets.targets[before:]
	rank := highestRank(added)
	for i := range added {
		if added[i].rank == rank {
			added[i].state = ready
		}
	}
}

// recursible reports whether a 3xx has a SIP contact, and none that the scheme of the request forbids.
//
// RFC 5630 §5.3: a sip contact for a sips request, or the reverse, is the caller's to decide on.
func (c *ResponseContext) recursible(resp *sip.Message) (some bool) {
	contacts := resp.Values(sip.HeaderContact)
	for contacts.Next() {
		switch contacts.URI.Scheme {
		case sip.SchemeSIP:
			if c.Targets.secure {
				return false
			}
		case sip.SchemeSIPS:
			if !c.Targets.secure {
				return false
			}
		default:
			continue
		}
		some = true
	}
	return some && contacts.Err() == nil
}

// takeContacts makes targets of the SIP contacts of header field j of a branch's response, takes them out of it, and
// counts those that are left.
//
// RFC 3261 §16.7 step 4: also out if they were tried before, so that nobody upstream tries them again.
func (c *ResponseContext) takeContacts(now time.Time, keep *edits, branch int, resp *sip.Message, j int) (left int) {
	_, _, rest := resp.Field(j)
	from := len(keep.text)
	for rest != nil {
		n, more, err := sip.NextNameAddr(rest)
		if err != nil {
			return 1
		}
		rest = more
		if n.URI.IsSIP() {
			q, _ := n.Q()
			if c.Targets.follow(now, &n.URI, q, c.Target(branch)) {
				continue
			}
		}
		if left == 0 {
			keep.text = append(keep.text, "Contact: "...)
		} else {
			keep.text = append(keep.text, ", "...)
		}
		keep.text = append(keep.text, n.Raw()...)
		left++
	}
	if left > 0 {
		keep.text = append(keep.text, "\r\n"...)
	}
	line := lineSpan(resp, j)
	keep.put(line.first, line.end, from)
	return left
}
