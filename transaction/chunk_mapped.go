//go:build linux || darwin || freebsd

package transaction

import "syscall"

// mapChunk returns memory of the system's own. Where it gives none, the heap has to do.
func mapChunk() []byte {
	b, err := syscall.Mmap(-1, 0, chunkBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, chunkBytes)
	}
	return b
}

// unmapChunk gives a chunk back. One of the heap the system does not know, and says so.
func unmapChunk(b []byte) { _ = syscall.Munmap(b) }
