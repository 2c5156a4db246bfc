//go:build !linux

package transport

import "net"

// newSystemIO takes over a socket of the system's; wildcard and family say how it is bound.
func newSystemIO(c *net.UDPConn, wildcard bool, family string, bounces, thread bool) (packetIO, error) {
	return newPortableIO(c), nil
}
