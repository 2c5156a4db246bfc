package registrar

import (
	"slices"

	"biloxi/location"
	"biloxi/sip"
)

// Apply does steps 6, 7 and 8 of RFC 3261 §10.3 on the record of the AOR, which holds nothing that has
// expired, and ends the response. It changes the record for all contacts or for none, and says whether it
// did. It may be called again, with another record: only the last call counts.
func (reg *Registration) Apply(rec *location.Record) (changed bool) {
	at := reg.now
	switch {
	case reg.star:
		changed, at = reg.removeAll(rec)
	case len(reg.contacts) > 0:
		changed, at = reg.update(rec)
	default:
		// Step 6: without a Contact the list is left as it is.
		reg.succeed(ReasonQueried)
	}
	if reg.Status == 200 {
		reg.finish(rec, at)
	}
	if !changed && reg.Status == 200 && reg.flow.Transport == sip.UDP && len(reg.ok) > maxDatagram {
		reg.fail(answerTooLarge) // it was registered over a stream
	}
	return changed
}

func (reg *Registration) succeed(reason string) { reg.Status, reg.Reason = 200, reason }

// RFC 3261 §10.3 step 6: "*" removes each binding of another Call-ID, and each of the same with a lower
// CSeq; any other aborts it.
//
// at is the time that the response is to show: this one, or that at which a retransmission was processed.
func (reg *Registration) removeAll(rec *location.Record) (changed bool, at int64) {
	var h history
	for i := range rec.Bindings {
		b := &rec.Bindings[i]
		switch o := reg.order(b, true); {
		case !b.Removed, o == processed, o == overtaken:
			h.note(o, b)
		}
	}
	// What was registered after a "*" is nothing new in its retransmission.
	h.changes = h.changes && !h.repeated
	if done, at := reg.settle(rec, &h); done {
		return false, at
	}
	for i := range rec.Bindings {
		if b := &rec.Bindings[i]; !b.Removed {
			reg.bury(b)
			changed = true
		}
	}
	reg.succeed(ReasonRemoved)
	return changed, reg.now
}

// RFC 3261 §10.3 step 7: each contact is compared with the bindings; then all are written, or none.
func (reg *Registration) update(rec *location.Record) (changed bool, at int64) {
	var h history
	for i := range reg.contacts {
		reg.compare(rec, i, &h)
	}
	if done, at := reg.settle(rec, &h); done {
		return false, at
	}
	reg.supersede(rec)
	reason, ok := reg.weigh(rec)
	if !ok {
		reg.refuseFull(rec)
		return false, reg.now
	}
	if why := reg.fit(rec); why != nil {
		reg.fail(why)
		return false, reg.now
	}
	reg.displace(rec)
	replaced := false
	for i := range reg.contacts {
		replaced = reg.write(rec, &reg.contacts[i]) || replaced
	}
	if replaced {
		rec.Bindings = slices.DeleteFunc(rec.Bindings, isReplaced)
	}
	reg.succeed(reason)
	return true, reg.now
}

// settle ends the request if it was processed before, or comes too late.
func (reg *Registration) settle(rec *location.Record, h *history) (done bool, at int64) {
	switch h.verdict() {
	case processed:
		reg.succeed(ReasonRetransmission)
		return true, reg.shownAt(rec, h.processed)
	case older:
		reg.fail(outOfOrder)
		return true, reg.now
	}
	return false, reg.now
}

// shownAt is the time that the answer to a retransmission shows: when the request was processed, so that
// it is the same answer; but this moment if another request has changed the bindings since, as one has
// where no binding tells when it was.
func (reg *Registration) shownAt(rec *location.Record, processed int64) int64 {
	for i := range rec.Bindings {
		if rec.Bindings[i].Updated > processed {
			return reg.now
		}
	}
	return processed
}

// compare finds the binding that contact i is, and notes how the request stands to it.
//
// By §19.1.4 a URI can equal two bindings that differ from one another. The one with the same bytes is
// taken, else the oldest, a live one before a tombstone; and no binding is taken by two contacts.
func (reg *Registration) compare(rec *location.Record, i int, h *history) {
	c := &reg.contacts[i]
	c.at = -1
	best := unlike
	for j := range rec.Bindings {
		b := &rec.Bindings[j]
		fit := c.like(b)
		if fit == unlike || reg.taken(i, j) {
			continue
		}
		if o := reg.order(b, c.granted == 0); o != newer {
			h.note(o, b)
			c.at = j
			return
		}
		if c.at < 0 || rec.Bindings[c.at].Removed && !b.Removed ||
			fit > best && rec.Bindings[c.at].Removed == b.Removed {
			c.at, best = j, fit
		}
	}
	h.changes = true
}

// taken reports whether a contact before i is binding j.
func (reg *Registration) taken(i, j int) bool {
	for k := range i {
		if reg.contacts[k].at == j {
			return true
		}
	}
	return false
}

// weigh says what the request comes to, and whether the AOR may have as many bindings as it leaves, once others
// have made room. An AOR that has more already, since the limit was lowered, may still refresh and replace them.
func (reg *Registration) weigh(rec *location.Record) (reason string, ok bool) {
	reason = ReasonRemoved
	added, removed := 0, len(reg.displaced)
	for i := range reg.contacts {
		c := &reg.contacts[i]
		isLive := c.at >= 0 && !rec.Bindings[c.at].Removed
		switch {
		case c.granted == 0 && isLive:
			removed++
		case c.granted > 0 && !isLive:
			added++
		case c.granted > 0:
			reason = ReasonRefreshed
		}
	}
	if added == 0 {
		return reason, true
	}
	live := 0
	for i := range rec.Bindings {
		if !rec.Bindings[i].Removed {
			live++
		}
	}
	grown := added - removed
	return ReasonRegistered, reg.makeRoom(rec, min(grown, live+grown-reg.registrar.maxContacts))
}

// write adds, updates or removes the binding of a contact. A tombstone whose binding is made anew is
// replaced: marked, to be dropped when all contacts are written.
func (reg *Registration) write(rec *location.Record, c *contact) (replaced bool) {
	switch {
	case c.granted == 0:
		reg.remove(rec, c)
	case c.at >= 0 && !rec.Bindings[c.at].Removed:
		reg.fill(&rec.Bindings[c.at], c)
	default:
		// What was removed and comes again stands behind those that stayed.
		var b location.Binding
		if c.at >= 0 {
			old := &rec.Bindings[c.at]
			b.Writer, b.Before = old.Writer, old.Before
			old.Contact = nil
			replaced = true
		}
		reg.fill(&b, c)
		rec.Bindings = append(rec.Bindings, b)
	}
	return replaced
}

func isReplaced(b location.Binding) bool { return b.Contact == nil }

// remove makes a tombstone of the contact's binding. To remove what is not there is no error, and leaves a
// tombstone all the same: it answers the retransmission, and keeps out a registration that was sent before
// the removal and comes after it.
func (reg *Registration) remove(rec *location.Record, c *contact) {
	if c.at < 0 {
		rec.Bindings = append(rec.Bindings, location.Binding{})
		c.at = len(rec.Bindings) - 1
		reg.fill(&rec.Bindings[c.at], c)
	}
	reg.bury(&rec.Bindings[c.at])
}

// fill writes into a binding all that a registration stores. RFC 3261 §10.3 step 7: Call-ID and CSeq with
// it; RFC 3327 §5.3: the Path; RFC 5626 §6: the Contact URI and parameters, and the flow.
func (reg *Registration) fill(b *location.Binding, c *contact) {
	created := b.Created
	if created == 0 {
		created = reg.now
	}
	*b = location.Binding{
		Contact:   c.uri.Raw(),
		Params:    c.params,
		Q:         c.q,
		HasQ:      c.hasQ,
		Expires:   reg.expires(c.granted),
		Writer:    reg.writer,
		Before:    reg.before(b),
		Granted:   c.granted,
		Path:      reg.path,
		Instance:  c.instance,
		RegID:     c.regID,
		Flow:      reg.flow,
		UserAgent: reg.userAgent,
		Created:   created,
		Updated:   reg.now,
	}
}

// expires is when a binding that was granted so many seconds ends.
func (reg *Registration) expires(granted uint32) int64 {
	if granted == neverSeconds {
		return location.Never
	}
	return reg.now + int64(granted)*1000
}

// bury makes a tombstone of a binding: what tells which one it was, and who wrote it, in a few bytes.
func (reg *Registration) bury(b *location.Binding) {
	*b = location.Binding{
		Contact:  reg.brief(b.Contact, briefContact),
		Q:        1000,
		Expires:  reg.now + location.TombstoneLifetime.Milliseconds(),
		Removed:  true,
		Writer:   reg.briefWriter(reg.writer),
		Before:   reg.briefWriter(reg.before(b)),
		Instance: reg.brief(b.Instance, briefContact),
		RegID:    b.RegID,
		Created:  b.Created,
		Updated:  reg.now,
	}
}

// before is the last writer of another Call-ID than this request's.
func (reg *Registration) before(b *location.Binding) location.Writer {
	if location.StandsFor(b.Writer.CallID, reg.writer.CallID) {
		return b.Before
	}
	return b.Writer
}
