//go:build !unix

package transport

// attach finds no way to the socket here: reads wait with a buffer in hand.
func (w *wire) attach() {}
