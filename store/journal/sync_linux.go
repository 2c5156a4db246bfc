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
