package journal

import "io"

// FS is the file system, as much of it as a journal needs. Tests put one with faults in its place.
type FS interface {
	MkdirAll(dir string) error
	Names(dir string) ([]string, error) // of the entries of a folder
	Open(name string) (File, error)     // for reading and Truncate
	Create(name string) (File, error)   // empty, for writing
	Rename(from, to string) error       // replaces to
	Remove(name string) error
	SyncDir(dir string) error            // makes names made, renamed and removed durable
	Lock(name string) (io.Closer, error) // ErrLocked if another process holds it
}

// File is an open file. Sync makes its bytes and its length durable.
type File interface {
	io.ReadWriteCloser
	Truncate(size int64) error
	Sync() error
}
