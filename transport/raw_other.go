//go:build unix && !linux

package transport

import "syscall"

// rawRead and rawWrite are the system's library's: not every system takes calls past it.
func rawRead(fd uintptr, b []byte) (int, syscall.Errno) { return errnoOf(syscall.Read(int(fd), b)) }

func rawWrite(fd uintptr, b []byte) (int, syscall.Errno) { return errnoOf(syscall.Write(int(fd), b)) }

func errnoOf(n int, err error) (int, syscall.Errno) {
	e, _ := err.(syscall.Errno)
	return n, e
}
