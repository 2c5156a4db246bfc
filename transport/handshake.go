package transport

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// A handshake of TLS with a peer that connected to us has three parts. Until its ClientHello is there the peer holds
// nothing but its connection. Then it waits for its turn at the processor, and answers. From there on it is one of
// those under way, of which there are only so many; whenever it waits for the peer it gives its turn back, and takes
// one again when a whole record is there. So neither silence nor a byte a second keeps anybody else from a handshake.
type handshake struct {
	c        *conn
	records  []byte // that came and TLS has not read
	held     int    // the memory that they take
	running  bool   // it has a turn
	patience *time.Timer
	err      error         // why reading ended
	cut      chan struct{} // closed when the connection is cut
	once     sync.Once     // of that
}

// stop ends its waiting for a turn.
func (h *handshake) stop() { h.once.Do(func() { close(h.cut) }) }

// The framing of TLS, as far as it takes to know that a record is whole (RFC 8446 §5.1).
const (
	recordHeader     = 5
	recordBody       = 1<<14 + 2048 // the most, of any version
	recordFirst      = 20           // of the types of records
	recordHandshake  = 22
	recordLast       = 24
	messageHeader    = 4
	helloMessage     = 1
	unknownRecordLen = -1
)

// handshake makes a TLS server of the connection. It runs on a goroutine of its own, so that the deep stack
// it needs does not stay with the reader.
func (c *conn) handshake() (failed counter, err error) {
	h := &handshake{c: c, cut: make(chan struct{})}
	c.shaking.Store(h)
	defer h.end()
	if failed, err := h.hello(); failed != noCounter {
		return failed, err
	}
	h.patience = time.NewTimer(c.t.cfg.Limits.Handshake)
	defer h.patience.Stop()
	if why := h.run(false); why != noCounter {
		return why, nil
	}
	defer h.pause()
	if out := c.t.admission.enterHandshake(c); out != nil {
		out.cut(closedHandshakeWay)
	}
	defer c.t.admission.leaveHandshake(c)
	err = c.negotiate(tls.Server(tlsSocket{c}, c.t.tls.server()))
	switch {
	case err == nil:
		return noCounter, nil
	case c.t.stopping.Load():
		return closedShutdown, nil
	}
	return closedHandshake, err
}

// end gives back what the handshake held.
func (h *handshake) end() {
	h.records, h.held = nil, 0
	_ = h.c.charge()
	h.c.shaking.Store(nil)
}

// hello waits for the peer's ClientHello, or for what is none and what TLS says so of.
func (h *handshake) hello() (failed counter, err error) {
	_ = h.c.wire.SetReadDeadline(time.Now().Add(min(firstFlight, h.c.t.cfg.Limits.Handshake)))
	if h.c.t.stopping.Load() {
		return closedShutdown, nil
	}
	for h.more() {
		if err := h.readRecord(); err != nil {
			switch {
			case h.c.t.stopping.Load():
				return closedShutdown, nil
			case isEnd(err):
				return closedPeer, nil
			case isTimeoutError(err):
				return closedHello, nil
			}
			return closedError, nil
		}
	}
	return noCounter, nil
}

// more reports whether what came is the beginning of a ClientHello, and not all of it. Of one in many pieces some
// suffice: TLS waits for the others.
func (h *handshake) more() bool {
	message, size := 0, messageHeader // bytes that there are, and that there should be
	for b, pieces := h.records, 0; len(b) > 0; pieces++ {
		n := recordLength(b)
		if pieces == helloPieces || n == unknownRecordLen || n > len(b) || b[0] != recordHandshake {
			return false
		}
		if body := b[recordHeader:n]; message == 0 && len(body) >= messageHeader {
			if body[0] != helloMessage {
				return false
			}
			size += int(binary.BigEndian.Uint32(body) & 0xffffff)
		}
		message += n - recordHeader
		b = b[n:]
	}
	return message < size
}

// recordLength is how long the record at the beginning of b is, with its header; unknownRecordLen if it is none.
func recordLength(b []byte) int {
	if len(b) < recordHeader {
		return unknownRecordLen
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n > recordBody {
		return unknownRecordLen
	}
	return recordHeader + n
}

// readRecord waits for one record, and adds it to records; what is no record is left as it is. Memory is taken for
// what has come, not for what was announced.
func (h *handshake) readRecord() error {
	start := len(h.records)
	if err := h.readTo(start + recordHeader); err != nil {
		return err
	}
	n := recordLength(h.records[start:])
	if n == unknownRecordLen || h.records[start] < recordFirst || h.records[start] > recordLast {
		return nil
	}
	return h.readTo(start + n)
}

// readTo reads until records has n bytes.
func (h *handshake) readTo(n int) error {
	for len(h.records) < n {
		if len(h.records) == cap(h.records) {
			h.records = append(h.records, make([]byte, min(n-len(h.records), max(recordHeader, len(h.records), 512)))...)[:len(h.records)]
			if h.held = cap(h.records); h.c.charge() != noCounter {
				return ErrGone
			}
		}
		got, err := h.c.wire.Conn.Read(h.records[len(h.records):min(n, cap(h.records))])
		h.records = h.records[:len(h.records)+got]
		if err != nil && len(h.records) < n {
			return err
		}
	}
	return nil
}

// read gives TLS what came, and waits for a record where nothing is left.
func (h *handshake) read(b []byte) (int, error) {
	if len(h.records) == 0 {
		if h.err != nil {
			return 0, h.err
		}
		h.pause()
		h.records, h.held = nil, 0
		if h.err = h.readRecord(); len(h.records) == 0 && h.err != nil {
			return 0, h.err
		}
		if why := h.run(true); why != noCounter {
			h.err = errors.New("transport: no turn for a handshake")
			return 0, h.err
		}
	}
	n := copy(b, h.records)
	h.records = h.records[n:]
	return n, nil
}

// run takes a turn at the processor; again is for a handshake that goes on.
func (h *handshake) run(again bool) (refused counter) {
	t := h.c.t
	refused = t.turns.take(h.c.entry.from.wide, again, waitEnds{h.patience.C, t.stop, h.cut})
	h.running = refused == noCounter
	return refused
}

// pause gives it back.
func (h *handshake) pause() {
	if h.running {
		h.running = false
		h.c.t.turns.give()
	}
}

func isTimeoutError(err error) bool {
	e, ok := err.(interface{ Timeout() bool })
	return ok && e.Timeout()
}
