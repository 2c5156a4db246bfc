package journal

import (
	"io"
	"slices"
)

// reader reads the records of a file, block by block. It owns the block that it is in.
type reader struct {
	name   string
	file   File
	blocks *blocks
	block  *block
	unread []byte // of the block
	ended  bool   // there is nothing behind the block, or it cannot be read
	offset int64  // of what is unread
	err    error  // of the file system
}

func openReader(fs FS, name string, blocks *blocks) (*reader, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	r := &reader{name: name, file: f, blocks: blocks, block: blocks.take(firstBlock)}
	r.read(0)
	return r, nil
}

// close hands over what was read: it is loaded when blocks.wait returns.
func (r *reader) close() {
	r.blocks.hand(r.block)
	r.file.Close()
}

// peek returns the next n bytes, or as many as there are, and whether there are as many. n is recordHead+maxPayload
// at the most, for which there is room in a block.
func (r *reader) peek(n int) (b []byte, ok bool) {
	if len(r.unread) < n && !r.ended {
		before := r.block
		r.block = r.blocks.take(blockSize)
		r.read(copy(r.block.data, r.unread))
		r.blocks.hand(before)
	}
	n, ok = min(n, len(r.unread)), n <= len(r.unread)
	return r.unread[:n:n], ok
}

// read fills the block, which has so many bytes already.
func (r *reader) read(kept int) {
	n, err := io.ReadFull(r.file, r.block.data[kept:])
	r.unread = r.block.data[:kept+n]
	r.ended = err != nil
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		r.err = err
	}
}

func (r *reader) skip(n int) {
	r.unread = r.unread[n:]
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

// record reads the next record, whose payload is in the reader's block and belongs to it; !ok if there is none that
// is whole. Then the rest begins where it should be.
func (r *reader) record() (rec record, ok bool) {
	b, ok := r.peek(recordHead)
	if !ok {
		return rec, false
	}
	n, ok := recordLength(b)
	if !ok {
		return rec, false
	}
	if b, ok = r.peek(n); !ok {
		return rec, false
	}
	if rec, ok = parseRecord(b); ok {
		r.skip(n)
	}
	return rec, ok
}

// rest reads all that is left, from a record on that could not be read, and leaves the offset at its beginning.
func (r *reader) rest() []byte {
	if r.ended {
		return r.unread
	}
	b, err := io.ReadAll(r.file)
	if err != nil {
		r.err = err
	}
	return slices.Concat(r.unread, b)
}

// readHeader reads the header of a file, and nothing else; !ok if it has none that is whole.
func readHeader(fs FS, name string) (h header, ok bool, err error) {
	f, err := fs.Open(name)
	if err != nil {
		return h, false, err
	}
	defer f.Close()
	var b [headerSize]byte
	n, err := io.ReadFull(f, b[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return h, false, err
	}
	h, ok = parseHeader(b[:n])
	return h, ok, nil
}
