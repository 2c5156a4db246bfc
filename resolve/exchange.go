package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

// sockets is the Exchanger of the system: a socket for each query, so that its port cannot be guessed.
type sockets struct{}

// Exchange is as [Exchanger] says.
func (sockets) Exchange(ctx context.Context, network string, server netip.AddrPort, query []byte) ([]byte, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// When ctx ends, reads and writes do.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		return exchangeStream(conn, query)
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	answer := make([]byte, datagramSize)
	for {
		n, err := conn.Read(answer)
		if err != nil {
			return nil, err
		}
		// What does not belong to the query is somebody's guess; the answer may still come.
		if sameID(answer[:n], query) {
			return answer[:n], nil
		}
	}
}

// exchangeStream sends a query behind its length (RFC 1035 §4.2.2) and reads the answer.
func exchangeStream(conn net.Conn, query []byte) ([]byte, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	if !sameID(answer, query) {
		return nil, errors.New("an answer to another query")
	}
	return answer, nil
}

// headerSize is that of a DNS message (RFC 1035 §4.1.1).
const headerSize = 12

// sameID reports whether a is a response with the ID of the query.
func sameID(a, query []byte) bool {
	return len(a) >= headerSize && a[0] == query[0] && a[1] == query[1] && a[2]&0x80 != 0
}

// truncated reports whether an answer says that some of it is missing (TC).
func truncated(a []byte) bool { return len(a) >= headerSize && a[2]&0x02 != 0 }
