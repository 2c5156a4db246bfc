package journal

import (
	"bufio"
	"io"
	"slices"
)

// reader reads the records of a file.
type reader struct {
	name   string
	file   File
	buf    *bufio.Reader
	large  []byte // a record that does not fit into buf
	torn   bool   // and could not be read
	offset int64  // of what comes next
	err    error  // of the file system
}

func openReader(fs FS, name string) (*reader, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	return &reader{name: name, file: f, buf: bufio.NewReaderSize(f, readBuffer)}, nil
}

func (r *reader) close() { r.file.Close() }

// peek returns the next n bytes, and whether there are as many.
func (r *reader) peek(n int) (b []byte, ok bool) {
	b, err := r.buf.Peek(n)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return b, err == nil
}

func (r *reader) skip(n int) {
	r.buf.Discard(n)
	r.offset += int64(n)
}

// atEnd reports whether nothing more can be read.
func (r *reader) atEnd() bool {
	_, ok := r.peek(1)
	return !ok
}

// header reads the file's header. What there is of one that is not whole is skipped.
func (r *reader) header() (h header, ok bool) {
	b, _ := r.peek(headerSize)
	h, ok = parseHeader(b)
	r.skip(len(b))
	return h, ok
}

// record reads the next record, which is valid until the next call; !ok if there is none that is whole. Then
// the rest begins where it should be.
func (r *reader) record() (rec record, ok bool) {
	b, ok := r.peek(recordHead)
	if !ok {
		return rec, false
	}
	n, ok := recordLength(b)
	if !ok {
		return rec, false
	}
	if n > r.buf.Size() {
		return r.largeRecord(n)
	}
	if b, ok = r.peek(n); !ok {
		return rec, false
	}
	if rec, ok = parseRecord(b); ok {
		r.skip(n)
	}
	return rec, ok
}

func (r *reader) largeRecord(n int) (rec record, ok bool) {
	r.large = slices.Grow(r.large[:0], n)[:n]
	got, err := io.ReadFull(r.buf, r.large)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		r.err = err
	}
	if err == nil {
		rec, ok = parseRecord(r.large)
	}
	if ok {
		r.offset += int64(n)
		return rec, true
	}
	r.large, r.torn = r.large[:got], true
	return rec, false
}

// rest reads all that is left, from a record on that could not be read, and leaves the offset at its beginning.
func (r *reader) rest() []byte {
	b, err := io.ReadAll(r.buf)
	if err != nil {
		r.err = err
	}
	if r.torn {
		return append(r.large, b...)
	}
	return b
}
