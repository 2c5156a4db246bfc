//go:build !(linux || darwin || freebsd)

package transaction

func mapChunk() []byte { return make([]byte, chunkBytes) }

func unmapChunk([]byte) {}
