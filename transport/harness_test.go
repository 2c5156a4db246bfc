package transport

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"biloxi/sip"
)

// scriptConn is a connection that brings given pieces, then ends, and keeps what is written.
type scriptConn struct {
	pieces  [][]byte
	written []byte
}

func (c *scriptConn) Read(b []byte) (int, error) {
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

func (c *scriptConn) Write(b []byte) (int, error) {
	c.written = append(c.written, b...)
	return len(b), nil
}

func (c *scriptConn) Close() error                     { return nil }
func (c *scriptConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }
func (c *scriptConn) LocalAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.222:5060"))
}
func (c *scriptConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.101:49152"))
}

// runStream gives data, in pieces of step bytes, to a connection of a Transport and returns what arrived
// and what was written.
func runStream(t testing.TB, data []byte, step int) ([]Arrival, []byte) {
	t.Helper()
	return runStreamWith(t, Limits{MaxHead: 1024, MaxBody: 2048}, data, step)
}

func runStreamWith(t testing.TB, limits Limits, data []byte, step int) ([]Arrival, []byte) {
	t.Helper()
	h := &answerer{}
	tr, err := New(Config{Limits: limits}, h)
	if err != nil {
		t.Fatal(err)
	}
	nc := &scriptConn{}
	for len(data) > 0 {
		n := min(step, len(data))
		nc.pieces = append(nc.pieces, append([]byte(nil), data[:n]...))
		data = data[n:]
	}
	c := tr.newConn(sip.TCP, addrPort(nc.RemoteAddr()))
	_, _ = tr.admission.enter(c)
	tr.counts.add(sip.TCP, unknownConns, 1)
	c.attach(nc)
	tr.conns.put(c)
	tr.readers.Add(1)
	c.run()
	c.waitDrained(nil)
	if n := tr.unfinished.used(); n != 0 {
		t.Errorf("%d bytes are still charged", n)
	}
	if n := tr.Stats().Value("connections", 0, ""); n != 0 {
		t.Errorf("%d connections left", n)
	}
	return h.seen(), nc.written
}
