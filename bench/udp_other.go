//go:build !linux

package bench

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// datagrams is a connected UDP socket, one datagram at a time.
type datagrams struct {
	conn  *net.UDPConn
	data  [maxDatagram]byte
	n     int
	queue [][]byte
}

func dialUDP(to netip.AddrPort) (wire, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(socketBuffer) // with less there is only more loss, which is counted
	_ = conn.SetWriteBuffer(socketBuffer)
	return &datagrams{conn: conn}, nil
}

func (d *datagrams) receive(until time.Time, _ time.Duration) (n int, err error) {
	if err = d.conn.SetReadDeadline(until); err == nil {
		d.n, err = d.conn.Read(d.data[:])
	}
	switch {
	case err == nil:
		return 1, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return 0, errRefused
	}
	return 0, err
}

func (d *datagrams) message(int) []byte { return d.data[:d.n] }
func (d *datagrams) send(b []byte)      { d.queue = append(d.queue, b) }

func (d *datagrams) flush() (err error) {
	for _, b := range d.queue {
		if _, e := d.conn.Write(b); errors.Is(e, syscall.ECONNREFUSED) {
			err = errRefused
		} else if e != nil {
			err = e
		}
	}
	d.queue = d.queue[:0]
	return err
}

func (d *datagrams) local() netip.AddrPort { return d.conn.LocalAddr().(*net.UDPAddr).AddrPort() }
func (d *datagrams) close()                { d.conn.Close() }
