package transport

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"biloxi/sip"
)

// batchIO is packetIO with recvmmsg and sendmmsg on the netpoller: up to batchSize datagrams in one system
// call, into memory that is set up once.
type batchIO struct {
	descriptor
	wait     uintptr // flags of recvmmsg
	wildcard bool    // the address that a datagram was sent to is asked for, and set on answers
	inet6    bool    // an IPv6 socket, for IPv4 too if it is dual

	in    *messages
	data  []byte // batchSize datagrams of the largest size; memory that no datagram reached is not touched
	n     int
	errno syscall.Errno
	fill  func(fd uintptr) bool
	back  *errorQueue // nil: nobody wants to hear what comes back
}

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// messages is what both system calls point to. A name has room for either family; control holds one
// packet info of either.
type messages struct {
	headers [batchSize]mmsghdr
	vectors [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet6
	control [batchSize]control
}

// control is room for a control message, aligned as its header must be.
type control struct {
	_ [0]uint64
	b [controlSize]byte
}

// controlSize is CMSG_SPACE of struct in6_pktinfo, the larger one, on 64-bit systems; the header is smaller
// on others.
const controlSize = 40

func newMessages() *messages {
	m := &messages{}
	for i := range m.headers {
		h := &m.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&m.names[i]))
		h.Iov = &m.vectors[i]
		h.SetIovlen(1)
	}
	return m
}

// newSystemIO takes over a socket of the system's; wildcard and family say how it is bound, bounces whether
// somebody wants to hear of datagrams that come back, and thread whether its reader may wait on a thread of its
// own: see awaited. With an error c is still the caller's.
func newSystemIO(c *net.UDPConn, wildcard bool, family string, bounces, thread bool) (packetIO, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	b := &batchIO{descriptor: &polled{c, raw}, wait: unix.MSG_DONTWAIT, wildcard: wildcard, inet6: family != "4", in: newMessages()}
	b.fill = b.readFD
	b.data = make([]byte, batchSize*sip.MaxDatagram)
	for i := range batchSize {
		b.in.vectors[i].Base = &b.data[i*sip.MaxDatagram]
		b.in.vectors[i].SetLen(sip.MaxDatagram)
		b.in.arm(i, wildcard)
	}
	_ = c.SetReadBuffer(socketBuffer) // with less there is only more loss in a storm
	_ = c.SetWriteBuffer(socketBuffer)
	if wildcard {
		if err := b.askPacketInfo(); err != nil {
			return nil, err
		}
	}
	if bounces {
		if err := b.askBounces(); err != nil {
			return nil, err
		}
	}
	if thread {
		if b.descriptor, err = newAwaited(c, raw); err != nil {
			return nil, err
		}
		b.wait = unix.MSG_WAITFORONE
	}
	return b, nil
}

// askPacketInfo has each datagram tell the address that it was sent to.
func (b *batchIO) askPacketInfo() error {
	var err error
	if e := b.control(func(fd uintptr) {
		if b.inet6 {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		} else {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		}
	}); e != nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("the destination address of datagrams is not told: %w", err)
	}
	return nil
}

// arm gets the i-th message ready to receive, since the system writes its lengths.
func (m *messages) arm(i int, control bool) {
	h := &m.headers[i].hdr
	h.Namelen = unix.SizeofSockaddrInet6
	if control {
		h.Control = &m.control[i].b[0]
		h.SetControllen(controlSize)
	}
}

func (b *batchIO) receive() (int, error) {
	for i := range b.n {
		b.in.arm(i, b.wildcard)
	}
	b.n, b.errno = 0, 0
	if err := b.read(b.fill); err != nil {
		return 0, err
	}
	if b.errno != 0 {
		return 0, os.NewSyscallError("recvmmsg", b.errno)
	}
	return b.n, nil
}

func (b *batchIO) readFD(fd uintptr) bool {
	for {
		n, _, e := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.in.headers[0])), batchSize, b.wait, 0, 0)
		switch e {
		case 0:
			b.n = int(n)
			return true
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		b.errno = e
		b.failed()
		return true
	}
}

func (b *batchIO) packet(i int) (data []byte, remote netip.AddrPort, local netip.Addr) {
	h := &b.in.headers[i]
	start := i * sip.MaxDatagram
	end := start + int(h.n)
	remote = nameAddrPort(&b.in.names[i])
	if b.wildcard {
		local = packetInfo(b.in.control[i].b[:min(controlSize, uint64(h.hdr.Controllen))])
	}
	return b.data[start:end:end], remote, local
}

// nameAddrPort reads a socket address of either family.
func nameAddrPort(name *unix.RawSockaddrInet6) netip.AddrPort {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	switch name.Family {
	case unix.AF_INET:
		in4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), port)
	case unix.AF_INET6:
		a := netip.AddrFrom16(name.Addr).Unmap()
		if name.Scope_id != 0 && a.IsLinkLocalUnicast() {
			a = a.WithZone(strconv.FormatUint(uint64(name.Scope_id), 10))
		}
		return netip.AddrPortFrom(a, port)
	}
	return netip.AddrPort{}
}

// setName writes a socket address for a socket of IPv6 or of IPv4 and returns its length.
func setName(name *unix.RawSockaddrInet6, a netip.AddrPort, inet6 bool) uint32 {
	port := (*[2]byte)(unsafe.Pointer(&name.Port)) // at the same place in both
	if !inet6 {
		name.Family = unix.AF_INET
		(*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr = a.Addr().Unmap().As4()
		binary.BigEndian.PutUint16(port[:], a.Port())
		return unix.SizeofSockaddrInet4
	}
	*name = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.Addr().As16(), Scope_id: scope(a.Addr().Zone())}
	binary.BigEndian.PutUint16(port[:], a.Port())
	return unix.SizeofSockaddrInet6
}

// scope is the number of the interface that a zone names.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// packetInfo reads the local address from the control message of a datagram.
func packetInfo(control []byte) netip.Addr {
	if len(control) < unix.SizeofCmsghdr {
		return netip.Addr{}
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	body := control[unix.CmsgLen(0):]
	switch {
	case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(body) >= unix.SizeofInet4Pktinfo:
		// The address to answer from, not that in the datagram, which may be a broadcast.
		return netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&body[0])).Spec_dst)
	case h.Level == unix.IPPROTO_IPV6 && h.Type == unix.IPV6_PKTINFO && len(body) >= unix.SizeofInet6Pktinfo:
		a := netip.AddrFrom16((*unix.Inet6Pktinfo)(unsafe.Pointer(&body[0])).Addr).Unmap()
		if a.IsMulticast() {
			return netip.Addr{}
		}
		return a
	}
	return netip.Addr{}
}

// setPacketInfo writes the control message that has a datagram leave from an address; none if that is not
// an address to leave from.
func setPacketInfo(control []byte, from netip.Addr, inet6 bool) int {
	if !from.IsValid() || from.IsUnspecified() || from.IsMulticast() || !inet6 && !from.Unmap().Is4() {
		return 0
	}
	clear(control)
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	body := unsafe.Pointer(&control[unix.CmsgLen(0)])
	if inet6 {
		h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
		h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
		(*unix.Inet6Pktinfo)(body).Addr = from.As16()
		return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
	}
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
	(*unix.Inet4Pktinfo)(body).Spec_dst = from.Unmap().As4()
	return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
}

// batchSender is the sending half, for one goroutine at a time.
type batchSender struct {
	io     *batchIO
	out    *messages
	n      int // messages that are set up
	at     int // the first that has not been sent
	failed int
	tries  int // of the one at at
	put    func(fd uintptr) bool
}

func (b *batchIO) newSender() packetSender {
	s := &batchSender{io: b, out: newMessages()}
	s.put = s.writeFD
	return s
}

func (s *batchSender) send(all []datagram) (failed int) {
	for len(all) > 0 {
		s.at, s.n, s.failed = 0, min(len(all), batchSize), 0
		for i := range all[:s.n] {
			s.set(i, &all[i])
		}
		if err := s.io.write(s.put); err != nil {
			s.failed += s.n - s.at
		}
		failed += s.failed
		all = all[s.n:]
	}
	return failed
}

func (s *batchSender) set(i int, d *datagram) {
	h := &s.out.headers[i].hdr
	s.out.vectors[i].Base = &d.data[0]
	s.out.vectors[i].SetLen(len(d.data))
	h.Namelen = setName(&s.out.names[i], d.to, s.io.inet6)
	n := 0
	if s.io.wildcard {
		// RFC 3581 §4: from the address that the request was received on.
		n = setPacketInfo(s.out.control[i].b[:], d.from, s.io.inet6)
	}
	h.Control = nil
	if n > 0 {
		h.Control = &s.out.control[i].b[0]
	}
	h.SetControllen(n)
}

// writeFD sends the rest; a datagram that the system refuses is left out.
func (s *batchSender) writeFD(fd uintptr) bool {
	for s.at < s.n {
		n, _, e := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&s.out.headers[s.at])), uintptr(s.n-s.at), unix.MSG_DONTWAIT, 0, 0)
		switch e {
		case 0:
			s.tries = 0
			if s.at += int(n); s.at < s.n {
				s.io.failed() // the next was refused, maybe for what another met
			}
		case unix.EINTR:
		case unix.EAGAIN:
			return false // wait until the socket takes more
		default:
			s.io.failed()
			if s.tries++; s.io.back != nil && (s.tries < sendTries || e == unix.ECONNREFUSED && s.tries < refusedTries) {
				continue // it may be the error of another
			}
			s.tries = 0
			s.at++
			s.failed++
		}
	}
	return true
}
