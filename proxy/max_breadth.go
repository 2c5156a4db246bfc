package proxy

import "biloxi/sip"

// MaxBreadth is the Incoming Max-Breadth of a request: how many branches may be open at a time for it here and
// downstream (RFC 5393 §5.3.2). One that says nothing or too much gets our maximum (§5.3.3).
//
// A request that says 0 has none to give: the answer is [TooBroad].
func (p *Proxy) MaxBreadth(req *sip.Request) (uint32, *Refusal) {
	breadth := p.maxBreadth
	// §5.3.3: one value. Of several, which nobody may write, the least counts.
	for i := req.Index(sip.HeaderMaxBreadth); i >= 0; i = req.Next(i) {
		_, _, value := req.Field(i)
		if n, ok := sip.ParseDeltaSeconds(value); ok {
			breadth = min(breadth, n)
		}
	}
	if breadth == 0 {
		return 0, TooBroad
	}
	return breadth, nil
}

// shares divides the breadth that is left among n branches that are to be opened: how many can be, and what each
// gets at least; the first of them gets what remains (RFC 5393 §5.3.3).
func shares(left uint32, n int) (open int, each, first uint32) {
	open = int(min(uint32(n), left))
	if open == 0 {
		return 0, 0, 0
	}
	each = left / uint32(open)
	return open, each, left - each*uint32(open-1)
}
