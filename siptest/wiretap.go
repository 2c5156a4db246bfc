package siptest

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"biloxi/sip"
)

// Wiretap hears all SIP messages that a Network carries over UDP and TCP, those that are lost too, in the
// order in which they were sent. What is encrypted it does not understand, and passes over. Its methods may
// be called from any goroutine.
type Wiretap struct {
	mu       sync.Mutex
	start    time.Time
	messages []*Tapped
	streams  map[[2]netip.AddrPort][]byte // what is no whole message yet; nil for what is no SIP
}

// Tapped is one message on the wire.
type Tapped struct {
	sip.Message
	At        time.Duration // since the wiretap began
	Transport sip.Transport
	From      netip.AddrPort
	To        netip.AddrPort
	Raw       string
}

// Wiretap begins to listen.
func (n *Network) Wiretap() *Wiretap {
	w := &Wiretap{start: time.Now(), streams: map[[2]netip.AddrPort][]byte{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tap = w
	return w
}

// Messages returns what was heard since the last call.
func (w *Wiretap) Messages() []*Tapped {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.messages
	w.messages = nil
	return list
}

// String is "192.0.2.111:5060 > 192.0.2.222:5060 UDP INVITE sip:bob@biloxi.example.com" with the time.
func (m *Tapped) String() string {
	return fmt.Sprintf("%v %s > %s %s %s", m.At, m.From, m.To, m.Transport, m.Is())
}

// Is says what a message is: its method, or its status and the method of its CSeq: "200 INVITE".
func (m *Tapped) Is() string {
	if m.IsRequest() {
		return string(m.Method())
	}
	c, _ := m.CSeq()
	return fmt.Sprintf("%d %s", m.StatusCode(), c.Method)
}

// Values returns the values of all lines of a header field, in order and not split at commas.
func (m *Tapped) Values(name string) []string { return fieldValues(&m.Message, name) }

// List returns the values of a header field, in order, split at the commas between them.
func (m *Tapped) List(name string) (list []string) {
	for _, v := range m.Values(name) {
		list = append(list, splitList(v)...)
	}
	return list
}

// Header returns the value of the first line of a header field, empty if there is none.
func (m *Tapped) Header(name string) string { return firstValue(&m.Message, name) }

func (w *Wiretap) packet(from, to netip.AddrPort, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(sip.UDP, from, to, b)
}

func (w *Wiretap) segment(from, to netip.AddrPort, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := [2]netip.AddrPort{from, to}
	have, known := w.streams[key]
	if known && have == nil {
		return
	}
	rest, err := frames(append(have, b...), func(m []byte) { w.add(sip.TCP, from, to, m) })
	if w.streams[key] = append([]byte{}, rest...); err != nil {
		w.streams[key] = nil
	}
}

// add keeps a message; w.mu is held.
func (w *Wiretap) add(t sip.Transport, from, to netip.AddrPort, b []byte) {
	m := &Tapped{At: time.Since(w.start), Transport: t, From: from, To: to, Raw: string(b)}
	if m.Parse([]byte(m.Raw)) == nil {
		w.messages = append(w.messages, m)
	}
}
