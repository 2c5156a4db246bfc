package resolve

import (
	"cmp"
	"slices"

	"biloxi/sip"
)

// srv is an SRV record. In a target that comes from none all is zero.
type srv struct {
	priority, weight, port uint16
	target                 string
}

// sortSRV orders records by priority; those of weight 0 stand first in theirs, as the draw wants them.
func sortSRV(list []srv) {
	slices.SortStableFunc(list, func(a, b srv) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.weight, b.weight))
	})
}

// serviceLabels are what RFC 3263 §4.2 puts before a domain to ask for its servers.
func serviceLabels(transport sip.Transport) string {
	switch transport {
	case sip.UDP:
		return "_sip._udp."
	case sip.TCP:
		return "_sip._tcp."
	}
	return "_sips._tcp."
}

// service adds the targets of the SRV records at name, in the order of RFC 2782. With parent they may have
// come with it.
func (w *walk) service(parent *answer, name []byte, transport sip.Transport) {
	a := w.find(parent, name, typeSRV)
	if a == nil {
		return
	}
	if a.outcome != found {
		// RFC 2782 "Usage rules": a single record with the target "." ends the search; so does what is not
		// known. That there is none does not.
		if a.outcome != none {
			w.note(a.err)
		}
		return
	}
	if parent == nil {
		w.setName(a)
	}
	for _, i := range w.arrange(a.srv) {
		w.t.key = append(w.t.key[:0], a.srv[i].target...)
		w.addresses(a, w.t.key, transport, a.srv[i])
	}
}

// arrange returns the places of sorted records in the order in which they are to be tried, drawn anew
// each time: RFC 2782 "Weight". The slice is scratch of the Targets.
func (w *walk) arrange(list []srv) []uint16 {
	order := w.t.order[:0]
	for i := range list {
		order = append(order, uint16(i))
	}
	w.t.order = order
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && list[end].priority == list[start].priority {
			end++
		}
		w.draw(list, order[start:end])
		start = end
	}
	return order
}

// draw orders the places of records of one priority.
func (w *walk) draw(list []srv, places []uint16) {
	if len(places) < 2 {
		return
	}
	// Records of weight 0 may stand in any order, but first. Shuffled they share the load when all are 0.
	zeros := 0
	for zeros < len(places) && list[places[zeros]].weight == 0 {
		zeros++
		i := w.r.cfg.Random(uint32(zeros))
		places[i], places[zeros-1] = places[zeros-1], places[i]
	}
	for ; len(places) > 1; places = places[1:] {
		sum := uint32(0)
		for _, p := range places {
			sum += uint32(list[p].weight)
		}
		if sum == 0 {
			return
		}
		// A number from 0 to the sum, inclusive; the first record whose running sum reaches it is next.
		n, running, chosen := w.r.cfg.Random(sum+1), uint32(0), 0
		for i, p := range places {
			if running += uint32(list[p].weight); running >= n {
				chosen = i
				break
			}
		}
		p := places[chosen]
		copy(places[1:chosen+1], places[:chosen])
		places[0] = p
	}
}
