package journal

import (
	"errors"
	"syscall"
)

// mayPass reports whether an error is of a disk that is full or fails, which may be mended while the server runs; not
// one of a wrong path or of missing rights, with which it is not to start.
func mayPass(err error) bool {
	for _, of := range [...]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
