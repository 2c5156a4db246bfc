package transport

import (
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errorQueue is the part of batchIO that hears of ICMP errors. The kernel puts what came back on a queue of
// errors, and has the next system call on the socket fail, once and whatever it is about; so whoever sees
// a call fail says that the queue is to be looked at, and a sender tries again.
type errorQueue struct {
	signal chan struct{} // nil: nobody wants to hear
	data   [bounceSize]byte
	name   unix.RawSockaddrInet6
	oob    [256]byte // one error and its origin, and room for other control messages
}

// askBounces has the kernel keep what comes back.
func (b *batchIO) askBounces() error {
	var err error
	e := b.control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1); err == nil && b.inet6 {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
		}
	})
	if e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("ICMP errors are not told: %w", err)
	}
	b.back = &errorQueue{signal: make(chan struct{}, 1)}
	return nil
}

// failed says that a system call on the socket has failed, or did less than it was asked to.
func (b *batchIO) failed() {
	if b.back == nil {
		return
	}
	select {
	case b.back.signal <- struct{}{}:
	default:
	}
}

func (b *batchIO) bounced() <-chan struct{} {
	if b.back == nil {
		return nil
	}
	return b.back.signal
}

// bounces reads the queue of errors, a batch at the most: the rest after another signal.
func (b *batchIO) bounces(fn func(b []byte, to netip.AddrPort, why syscall.Errno)) {
	for range batchSize {
		data, to, why, ok := b.bounce()
		if !ok {
			return
		}
		if why != 0 && len(data) > 0 {
			fn(data, to, why)
		}
	}
	b.failed()
}

// bounce reads one from the queue of errors; why is 0 if it is none to be reported.
func (b *batchIO) bounce() (data []byte, to netip.AddrPort, why syscall.Errno, ok bool) {
	q := b.back
	vector := unix.Iovec{Base: &q.data[0]}
	vector.SetLen(len(q.data))
	h := unix.Msghdr{Name: (*byte)(unsafe.Pointer(&q.name)), Namelen: unix.SizeofSockaddrInet6, Iov: &vector, Control: &q.oob[0]}
	h.SetIovlen(1)
	h.SetControllen(len(q.oob))
	var n uintptr
	errno := unix.EINTR
	if b.control(func(fd uintptr) {
		for errno == unix.EINTR {
			n, _, errno = unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&h)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		}
	}) != nil || errno != 0 {
		return nil, to, 0, false
	}
	controls, err := unix.ParseSocketControlMessage(q.oob[:h.Controllen])
	if err != nil {
		return nil, to, 0, true
	}
	for _, c := range controls {
		v4 := c.Header.Level == unix.IPPROTO_IP && c.Header.Type == unix.IP_RECVERR
		v6 := c.Header.Level == unix.IPPROTO_IPV6 && c.Header.Type == unix.IPV6_RECVERR
		if (v4 || v6) && len(c.Data) >= int(unsafe.Sizeof(unix.SockExtendedErr{})) {
			if e := (*unix.SockExtendedErr)(unsafe.Pointer(&c.Data[0])); unreachable(e) {
				why = syscall.Errno(e.Errno)
			}
		}
	}
	return q.data[:n], nameAddrPort(&q.name), why, true
}

// unreachable reports whether an error means that a datagram does not arrive.
//
// RFC 3261 §18.4: host, network, port or protocol unreachable, and parameter problem. Time exceeded is
// ignored; so is a datagram that is too large for the way, which goes in fragments when it is sent again.
func unreachable(e *unix.SockExtendedErr) bool {
	switch e.Origin {
	case unix.SO_EE_ORIGIN_ICMP: // RFC 792
		const destination, fragmentation, parameter = 3, 4, 12
		return e.Type == destination && e.Code != fragmentation || e.Type == parameter
	case unix.SO_EE_ORIGIN_ICMP6: // RFC 4443
		const destination, parameter = 1, 4
		return e.Type == destination || e.Type == parameter
	}
	return false
}
