package journal

import "io"

// FS is a file system, as much of it as a journal needs. Names are paths. Tests put one that fails in its place.
type FS interface {
	MkdirAll(dir string) error
	ReadDir(dir string) (names []string, err error)
	Open(name string) (File, error)        // for reading and Truncate
	Create(name string) (File, error)      // for writing; empties a file that is there
	Rename(from, to string) error          // replaces to
	Remove(name string) error              // of a file that is not there: no error
	SyncDir(dir string) error              // makes what was created, renamed and removed in dir durable
	Lock(name string) (Held, error)        // until it is closed or the process ends; ErrLocked if somebody has it
	Hold(name string) (Held, error)        // a file or a folder
	Reserve(name string, size int64) error // makes a file that has so much room, or none
}

// File is an open file.
type File interface {
	io.ReadWriteCloser
	Truncate(size int64) error
	Sync() error // makes the file's bytes and length durable
}

// Held is a file or a folder, whatever becomes of its name, until it is closed.
type Held interface {
	io.Closer
	Same() bool // whether its name still leads to it
}
