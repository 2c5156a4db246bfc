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
	out     []mmsghdr
	queue   []unix.Iovec
	poll    [1]unix.PollFd
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
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

func (d *datagrams) flush() error {
	for len(d.out) < len(d.queue) {
		d.out = append(d.out, mmsghdr{})
	}
	for i := range d.queue {
		d.out[i].hdr.Iov = &d.queue[i]
		d.out[i].hdr.SetIovlen(1)
	}
	at, all := 0, len(d.queue)
	d.queue = d.queue[:0]
	for at < all {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(d.fd), uintptr(unsafe.Pointer(&d.out[at])), uintptr(min(all-at, batchSize)), 0, 0, 0)
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
			return e
		}
	}
	return nil
}

func (d *datagrams) local() netip.AddrPort { return d.here }
func (d *datagrams) close()                { d.conn.Close() }
