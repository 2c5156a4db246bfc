package journal

import (
	"io/fs"
	"os"
	"syscall"
)

// syncData is fdatasync: it leaves out the times of the file, which cost another write.
func syncData(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}

// allocate gives f so many bytes of the disk without writing them.
func allocate(f *os.File, size int64) error {
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return &fs.PathError{Op: "fallocate", Path: f.Name(), Err: err}
		}
	}
}
