//go:build !linux

package transport

// unacknowledged is not known here.
func (w *wire) unacknowledged() (open bool, err error) { return false, nil }
