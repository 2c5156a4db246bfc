package bench

import (
	"net"
	"net/netip"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// datagrams is a connected UDP socket with recvmmsg and sendmmsg. Its goroutine waits in ppoll: the
// netpoller would add a wake-up to each batch, and knows no waits below a millisecond.
type datagrams struct {
	conn *net.UDPConn
	fd   int
	here netip.AddrPort

	in      [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	data    []byte // batchSize datagrams
	queue   []unix.Iovec
	out     []mmsghdr // messages of the queue, and for each:
	first   []int     // the place of its first datagram
	control []segment
	groups  int
	whole   bool // each datagram is a message of its own
	poll    [1]unix.PollFd
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// segment is the control message that says how long the datagrams of one message are.
type segment struct {
	header unix.Cmsghdr
	size   uint16
	_      [6]byte
}

func dialUDP(to netip.AddrPort) (wire, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, err
	}
	d := &datagrams{conn: conn, here: conn.LocalAddr().(*net.UDPAddr).AddrPort(), data: make([]byte, batchSize*maxDatagram)}
	_ = conn.SetReadBuffer(socketBuffer) // with less there is only more loss, which is counted
	_ = conn.SetWriteBuffer(socketBuffer)
	raw, err := conn.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { d.fd = int(fd) })
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	for i := range d.in {
		d.vectors[i].Base = &d.data[i*maxDatagram]
		d.vectors[i].SetLen(maxDatagram)
		d.in[i].hdr.Iov = &d.vectors[i]
		d.in[i].hdr.SetIovlen(1)
	}
	d.poll[0] = unix.PollFd{Fd: int32(d.fd), Events: unix.POLLIN}
	return d, nil
}

func (d *datagrams) receive(until time.Time, gather time.Duration) (int, error) {
	for waited := false; ; waited = true {
		n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(d.fd), uintptr(unsafe.Pointer(&d.in[0])), batchSize, unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		case unix.ECONNREFUSED:
			return 0, errRefused
		case unix.EAGAIN:
		default:
			return 0, e
		}
		wait := time.Until(until)
		if waited || wait <= 0 {
			return 0, nil
		}
		ts := unix.NsecToTimespec(int64(wait))
		if _, err := unix.Ppoll(d.poll[:], &ts, nil); err != nil && err != syscall.EINTR {
			return 0, err
		}
		if gather > 0 {
			ts = unix.NsecToTimespec(int64(gather))
			_ = unix.Nanosleep(&ts, nil)
		}
	}
}

func (d *datagrams) message(i int) []byte {
	return d.data[i*maxDatagram:][:min(int(d.in[i].n), maxDatagram)]
}

func (d *datagrams) send(b []byte) {
	v := unix.Iovec{Base: &b[0]}
	v.SetLen(len(b))
	d.queue = append(d.queue, v)
}

// flush sends the queue. Datagrams of one length that follow each other go to the system as one, which it
// cuts (UDP_SEGMENT, Linux 4.18): going through the system once for each would cost more than all else.
func (d *datagrams) flush() error {
	d.group()
	for at := 0; at < d.groups; {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(d.fd), uintptr(unsafe.Pointer(&d.out[at])), uintptr(min(d.groups-at, batchSize)), 0, 0, 0)
		switch e {
		case 0:
			at += int(n)
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS:
			poll := [1]unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLOUT}}
			_, _ = unix.Poll(poll[:], 10)
		case unix.ECONNREFUSED:
			return errRefused
		default:
			if d.whole {
				return e
			}
			// A network card that cannot: one by one from now on, and what has not been sent first.
			d.whole = true
			rest := d.first[at]
			d.queue = d.queue[:copy(d.queue, d.queue[rest:])]
			return d.flush()
		}
	}
	d.queue = d.queue[:0]
	return nil
}

// group makes the messages of the queue.
func (d *datagrams) group() {
	d.groups = 0
	for i := 0; i < len(d.queue); {
		size, n := d.queue[i].Len, 1
		for !d.whole && i+n < len(d.queue) && n < maxSegments && d.queue[i+n].Len == size && uint64(n+1)*uint64(size) <= maxSegmented {
			n++
		}
		if d.groups == len(d.out) {
			d.out, d.first = append(d.out, mmsghdr{}), append(d.first, 0)
			d.control = append(d.control, segment{})
		}
		d.first[d.groups] = i
		d.groups++
		i += n
	}
	for g := range d.groups {
		end := len(d.queue)
		if g+1 < d.groups {
			end = d.first[g+1]
		}
		d.fill(g, d.queue[d.first[g]:end])
	}
}

// fill sets up one message of datagrams of one length.
func (d *datagrams) fill(g int, parts []unix.Iovec) {
	h := &d.out[g].hdr
	h.Iov = &parts[0]
	h.SetIovlen(len(parts))
	h.Control = nil
	h.SetControllen(0)
	if len(parts) > 1 {
		c := &d.control[g]
		c.header.Level, c.header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		c.header.SetLen(unix.CmsgLen(2))
		c.size = uint16(parts[0].Len)
		h.Control = (*byte)(unsafe.Pointer(c))
		h.SetControllen(unix.CmsgSpace(2))
	}
}

func (d *datagrams) local() netip.AddrPort { return d.here }
func (d *datagrams) close()                { d.conn.Close() }
