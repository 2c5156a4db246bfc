//go:build unix && !linux

package journal

import "os"

func syncData(f *os.File) error { return f.Sync() }

// allocate gives f so many bytes of the disk.
func allocate(f *os.File, size int64) error {
	zeros := make([]byte, snapshotChunk)
	for size > 0 {
		n, err := f.Write(zeros[:min(size, int64(len(zeros)))])
		if err != nil {
			return err
		}
		size -= int64(n)
	}
	return nil
}
