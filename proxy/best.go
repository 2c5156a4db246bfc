package proxy

import (
	"bytes"

	"biloxi/sip"
)

// best is the best final response so far (RFC 3261 §16.7 step 6). The zero best is none.
type best struct {
	rank       int    // 0: none; the lower of two is the better
	status     int    // of it
	own        bool   // it is one that we would make: nothing was received
	response   []byte // as it was received, without its topmost Via
	head       int    // where response's header section ends, before the empty line
	challenges []byte // header lines of the other 401s and 407s
}

// rank puts final responses into an order.
//
// RFC 3261 §16.7 step 6: any 6xx first, then the lowest class; within 4xx those that say how the request could
// succeed. What says least comes last: a cancelled branch, a flow that failed, nobody who answered. Of 5xx a 503
// comes last, since it must not be passed on.
//
// To the caller who has cancelled, nobody needs to be told how the request could succeed: a 487 comes before that, as it
// comes before failures (§9.2, §16.10). A refusal that was received goes back.
func (c *ResponseContext) rank(status int) int {
	if c.cancelled && (status/100 == 3 || isChallenge(status)) {
		return 400 + preference(487) + 1
	}
	switch class := status / 100; class {
	case 6:
		return 1
	case 4:
		return 400 + preference(status)
	case 5:
		if status == 503 {
			return 501
		}
		return 500
	default:
		return class * 100
	}
}

func preference(status int) int {
	switch status {
	case 401, 407:
		return 0
	case 415, 416, 420, 421, 422, 484, 494:
		return 1
	case 487:
		return 3
	case 430:
		return 4
	case 408:
		return 5
	}
	return 2
}

func isChallenge(status int) bool { return status == 401 || status == 407 }

// note notes a final response that was not received, and that one of its kind which was comes before.
func (c *ResponseContext) note(status int) {
	if status == 408 && !c.invite {
		return // RFC 4320 §4.2
	}
	if b := &c.best; b.rank == 0 || c.rank(status) < b.rank {
		b.rank, b.status, b.own = c.rank(status), status, true
	}
}

// relayable reports whether a response that ends the context can be passed on as it is.
func (c *ResponseContext) relayable(code int) bool {
	b := &c.best
	switch {
	case c.answered || code == 503 || code == 408 && !c.invite:
		return false
	case isChallenge(code) && isChallenge(b.status):
		return false
	}
	return b.rank == 0 || c.beats(code)
}

// beats reports whether a response that was received is better than the best.
func (c *ResponseContext) beats(code int) bool {
	b := &c.best
	return b.rank == 0 || c.rank(code) < b.rank || c.rank(code) == b.rank && b.own
}

// gather adds a final response to the context: RFC 3261 §16.7 step 4. without are Contacts to be left out of it.
func (c *ResponseContext) gather(code int, resp *sip.Message, without *edits) {
	b := &c.best
	switch {
	case c.answered || code == 408 && !c.invite:
		return // RFC 4320 §4.2
	case isChallenge(code) && isChallenge(b.status):
		// RFC 3261 §16.7 step 7: whichever is forwarded has the challenges of all.
		b.challenges = appendChallenges(b.challenges, resp)
		return
	case !c.beats(code):
		return
	}
	top, ok := topVia(resp)
	if !ok {
		return // §16.7 step 3: it was for us
	}
	b.rank, b.status, b.own, b.challenges = c.rank(code), code, false, b.challenges[:0]
	if without == nil {
		b.response, _ = AppendPopped(b.response[:0], resp)
	} else {
		without.cut(top.first, top.end)
		b.response = without.append(b.response[:0], resp.Bytes())
	}
	b.head = len(b.response) - len(resp.Body()) - len("\r\n")
}

// appendChallenges appends the challenges of a response as they stand.
func appendChallenges(dst []byte, resp *sip.Message) []byte {
	for _, h := range [...]sip.Header{sip.HeaderWWWAuthenticate, sip.HeaderProxyAuthenticate} {
		for i := resp.Index(h); i >= 0; i = resp.Next(i) {
			if line := resp.Line(i); len(dst)+len(line) <= maxChallenges {
				dst = append(dst, line...)
			}
		}
	}
	return dst
}

// action is how the best response goes back.
func (b *best) action() Action {
	switch {
	case b.own && b.status == 503:
		// RFC 3261 §16.7 step 6: what failed is one way, not we.
		return Action{Do: Answer, Status: 500}
	case b.own && b.status == 430:
		// RFC 5626 §11.5: 430 is for the proxy that holds the flows of the user, and that is this one.
		return Action{Do: Answer, Status: 480}
	case b.own:
		return Action{Do: Answer, Status: b.status}
	case b.status == 503:
		b.response = asServerError(b.response)
		return Action{Do: Respond, Status: 500, Response: b.response}
	case len(b.challenges) > 0:
		b.response = append(b.response, b.challenges...)
		copy(b.response[b.head+len(b.challenges):], b.response[b.head:len(b.response)-len(b.challenges)])
		copy(b.response[b.head:], b.challenges)
	}
	return Action{Do: Respond, Status: b.status, Response: b.response}
}

// asServerError makes a 500 of a 503. RFC 3261 §16.7 step 6: a 503 would say that we cannot serve anybody.
func asServerError(response []byte) []byte {
	const line = "SIP/2.0 500 Server Internal Error"
	end := bytes.IndexByte(response, '\r')
	rest := len(response) - end
	out := append(response, line...) // room for the longest that it can become
	copy(out[len(line):], response[end:])
	copy(out, line)
	return out[:len(line)+rest]
}
