//go:build unix

package transport

import (
	"math"
	"syscall"
)

// systemDescriptors is how many file descriptors the process may have, 0 if that is not known. Go has raised the soft
// limit to the hard one.
func systemDescriptors() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || uint64(l.Cur) > math.MaxInt32 {
		return 0
	}
	return int(l.Cur)
}
