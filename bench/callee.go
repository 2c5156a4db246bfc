package bench

import (
	"bytes"
	"slices"
	"time"

	"biloxi/sip"
)

// answer is the 200 of a called phone until its ACK comes (RFC 3261 §13.3.1.4).
type answer struct {
	open       bool
	call       uint32 // serial of the call
	ok         []byte
	retransmit time.Duration
	interval   time.Duration
	expire     time.Duration
}

// called is given each request that came to one of the tool's phones.
func (w *worker) called(m *sip.Message) {
	if m.Method() == sip.Ack {
		w.acknowledged(m)
		return
	}
	if f := w.checkRequest(m); f != faultNone {
		w.counters.faults[f].Add(1)
		w.run.keepSample(f, m.Bytes(), nil)
	}
	if m.Method() == sip.Invite {
		w.invited(m)
		return
	}
	start := len(w.arena)
	w.newTag()
	w.arena = sip.AppendResponse(w.arena, m, 200, "", w.tag, w.config.Server)
	w.arena = append(w.arena, w.parts.noBody...)
	w.wire.send(w.arena[start:])
}

// newTag makes a tag for the To of a called phone, for this call alone (RFC 3261 §19.3).
func (w *worker) newTag() {
	w.serial++
	w.tag = appendHex(append(w.tag[:0], w.parts.cnonce...), uint64(w.serial), 8)
}

// checkRequest sees that a request that the server forwarded is right: it is for a contact of this worker,
// went through the server, has lost its routes to it, and its body is whole.
func (w *worker) checkRequest(m *sip.Message) fault {
	if !w.config.Scenario.proxied() {
		return faultNone // a server may ask its phones what it likes
	}
	uri, err := sip.ParseURI(m.RequestURI())
	at := len(w.parts.contact)
	raw := uri.Raw()
	hops, p := m.MaxForwards()
	vias := m.Vias()
	switch {
	case err != nil || len(raw) <= at || !bytes.Equal(raw[len(raw)-at:], w.parts.contact):
		return faultRequest
	case m.Has(sip.HeaderRoute) || p != sip.Present || hops >= 70 || !vias.Next() || !vias.Next():
		return faultRequest
	case m.Method() == sip.MESSAGE && !bytes.HasSuffix(w.parts.text, m.Body()):
		return faultRequest
	case m.Method() == sip.Invite && !isOffer(m.Body()):
		return faultRequest
	}
	return faultNone
}

// isOffer tells a session description of ours; the caller may be at another address.
func isOffer(body []byte) bool {
	return bytes.HasPrefix(body, []byte("v=0\r\n")) && bytes.HasSuffix(body, []byte("PCMA/8000\r\n"))
}

// invited rings and takes the call.
func (w *worker) invited(m *sip.Message) {
	lane, call, known := w.caller(m)
	if known && w.answers[lane].call == call {
		if w.answers[lane].open {
			w.wire.send(w.answers[lane].ok) // the INVITE again: its 200 was lost
		}
		return
	}
	start := len(w.arena)
	w.newTag()
	w.arena = w.appendInviteAnswer(w.arena, m, 180)
	w.arena = append(w.arena, w.parts.noBody...)
	ok := len(w.arena)
	w.arena = w.appendInviteAnswer(w.arena, m, 200)
	w.arena = append(w.arena, w.parts.offer...)
	w.wire.send(w.arena[start:ok])
	w.wire.send(w.arena[ok:])
	if known {
		w.keepOpen(lane)
		a := &w.answers[lane]
		a.open, a.call, a.interval = true, call, w.config.T1
		a.ok = append(a.ok[:0], w.arena[ok:]...)
		a.retransmit, a.expire = w.now+a.interval, w.now+w.config.timeout()
	}
}

// keepOpen moves a 200 whose ACK has not come out of the way of the lane's next call: behind the lanes'.
func (w *worker) keepOpen(lane uint32) {
	if !w.answers[lane].open {
		return
	}
	at := slices.IndexFunc(w.answers[len(w.lanes):], func(a answer) bool { return !a.open })
	if at += len(w.lanes); at < len(w.lanes) {
		at = len(w.answers)
		w.answers = append(w.answers, answer{})
	}
	w.answers[lane], w.answers[at] = w.answers[at], w.answers[lane]
}

// appendInviteAnswer appends an answer that makes a dialog (RFC 3261 §12.1.1): with the Record-Routes as
// they came, and a contact.
func (w *worker) appendInviteAnswer(b []byte, m *sip.Message, code int) []byte {
	b = sip.AppendResponse(b, m, code, "", w.tag, w.config.Server)
	for i := m.Index(sip.HeaderRecordRoute); i >= 0; i = m.Next(i) {
		b = append(b, m.Line(i)...)
	}
	uri := m.RequestURI()
	b = append(b, "Contact: <"...)
	b = append(b, uri...)
	return append(b, ">\r\n"...)
}

// caller finds the lane that a call comes from by its Call-ID, if it is one of this worker's. On streams
// there is nothing to retransmit, and none is looked for.
func (w *worker) caller(m *sip.Message) (lane, call uint32, known bool) {
	id, ok := bytes.CutPrefix(m.CallID(), w.parts.callID)
	if !ok || len(id) != 14 || w.config.Transport.Reliable() {
		return 0, 0, false
	}
	n, ok := parseHex(id[:6])
	serial, ok2 := parseHex(id[6:])
	if !ok || !ok2 || n >= uint64(len(w.lanes)) {
		return 0, 0, false
	}
	if w.answers == nil {
		w.answers = make([]answer, len(w.lanes))
	}
	return uint32(n), uint32(serial), true
}

// acknowledged ends the retransmissions of a 200.
func (w *worker) acknowledged(m *sip.Message) {
	lane, call, known := w.caller(m)
	if !known {
		w.counters.acks.Add(1)
		return
	}
	a := &w.answers[lane]
	if a.call != call {
		at := slices.IndexFunc(w.answers[len(w.lanes):], func(a answer) bool { return a.open && a.call == call })
		if at < 0 {
			return // the ACK again
		}
		a = &w.answers[len(w.lanes)+at]
	}
	if a.open {
		a.open = false
		w.counters.acks.Add(1)
	}
}

// allAcknowledged reports whether no 200 waits for its ACK.
func (w *worker) allAcknowledged() bool {
	return !slices.ContainsFunc(w.answers, func(a answer) bool { return a.open })
}

// hungUp forgets the 200 of a call that needs no more of it.
func (w *worker) hungUp(lane uint32) {
	if int(lane) < len(w.answers) {
		w.answers[lane].open = false
	}
}

// repeatAnswer sends a 200 again whose ACK has not come.
func (w *worker) repeatAnswer(a *answer) {
	switch {
	case !a.open || w.now < a.retransmit:
	case w.now >= a.expire:
		a.open = false
		w.counters.faults[faultACK].Add(1)
	default:
		a.interval = min(2*a.interval, w.config.T2)
		a.retransmit = w.now + a.interval
		w.counters.retransmissions.Add(1)
		w.wire.send(a.ok)
	}
}
