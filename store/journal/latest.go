package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
)

// latestName is the file that names the newest journal. It is written when a journal has begun, before anything is
// acknowledged from it, and when it is closed in order: so a journal that is gone, empty, or another one is noticed.
const latestName = prefix + "latest"

var latestMagic = [8]byte{'B', 'l', 'x', 'L', 'a', 's', 't', 1}

const latestSize = 48

// latest is what that file says: 8 bytes that name the format and its version, the generation (8), the number of the
// next record (8), the salt (8), the clock (8), the CRC-32C of these (4), zeros (4).
type latest struct {
	generation uint64 // of the newest journal
	next       uint64 // all records before it were durable
	salt       uint64 // of that journal
	ahead      int64  // milliseconds that the wall clock is ahead of the times in the folder's records
}

func (l *latest) append(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, latestMagic[:]...)
	for _, v := range [...]uint64{l.generation, l.next, l.salt, uint64(l.ahead)} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
	return append(dst, 0, 0, 0, 0)
}

func parseLatest(b []byte) (l latest, ok bool) {
	if len(b) != latestSize || [8]byte(b) != latestMagic || crc32.Checksum(b[:40], castagnoli) != binary.LittleEndian.Uint32(b[40:]) {
		return l, false
	}
	for i, v := range []*uint64{&l.generation, &l.next, &l.salt} {
		*v = binary.LittleEndian.Uint64(b[8+8*i:])
	}
	l.ahead = int64(binary.LittleEndian.Uint64(b[32:]))
	return l, true
}

// write puts the file in place of the one before, whole or not at all.
func (l *latest) write(fs FS, dir string) error {
	name := filepath.Join(dir, latestName)
	f, err := fs.Create(name + ".tmp")
	if err != nil {
		return err
	}
	if _, err = f.Write(l.append(nil)); err == nil {
		err = f.Sync()
	}
	if err = firstError(err, f.Close()); err == nil {
		err = fs.Rename(name+".tmp", name)
	}
	if err != nil {
		fs.Remove(name + ".tmp")
		return err
	}
	return fs.SyncDir(dir)
}

// readLatest reads the file; !there if there is none, as in a folder of the first version, !ok if it is damaged.
func readLatest(files FS, dir string) (l latest, ok, there bool, err error) {
	f, err := files.Open(filepath.Join(dir, latestName))
	if errors.Is(err, fs.ErrNotExist) {
		return l, false, false, nil
	}
	if err != nil {
		return l, false, true, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, latestSize+1))
	if err != nil {
		return l, false, true, err
	}
	l, ok = parseLatest(b)
	return l, ok, true, nil
}
