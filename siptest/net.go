package siptest

import (
	"context"
	"errors"
	"net"
)

// Network is a simulated network.
type Network struct{}

// NewNetwork returns a network without latency or loss.
func NewNetwork() *Network { return &Network{} }

// ListenPacket binds a UDP socket.
func (n *Network) ListenPacket(network, address string) (net.PacketConn, error) {
	return nil, errors.New("not yet")
}

// Listen binds a TCP listener.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	return nil, errors.New("not yet")
}

// Dial opens a TCP connection.
func (n *Network) Dial(ctx context.Context, network, from, to string) (net.Conn, error) {
	return nil, errors.New("not yet")
}
