package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// memFS is a file system in memory that knows what a power loss would leave, and fails on demand. A name that was
// made, renamed or removed survives only if its folder was synced afterwards; a byte only if its file was.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*memFile
	pending []nameChange // since the last SyncDir
	durable map[string]*memFile
	locked  map[string]bool

	ops  int                             // calls that change something
	fail func(op int, what string) error // asked before each; nil: never fails
	room int                             // bytes that may still be written; negative: no limit

	noLock error // why no lock can be had
}

type nameChange struct{ from, to string } // to "" removes from; from "" is a name that was made

type memFile struct {
	data   []byte
	synced []byte
	taken  int // room that it has beside its data
}

var (
	errPower = errors.New("the power is off")
	errFull  = error(syscall.ENOSPC)
	errIO    = error(syscall.EIO)
)

func newMemFS() *memFS {
	return &memFS{names: map[string]*memFile{}, durable: map[string]*memFile{}, locked: map[string]bool{}, room: -1}
}

// step counts an operation and asks whether it fails.
func (m *memFS) step(what string) error {
	m.ops++
	if m.fail == nil {
		return nil
	}
	return m.fail(m.ops, what)
}

// set makes later operations fail as fail says.
func (m *memFS) set(fail func(op int, what string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// setRoom fills the disk but for so many bytes.
func (m *memFS) setRoom(bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.room = bytes
}

// powerLoss returns the file system that is found when the power comes back: some of the changes of names that
// were not synced, in their order, and of each file what was synced and perhaps, torn, some of what was not.
func (m *memFS) powerLoss(random *rand.Rand) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := newMemFS()
	names := map[string]*memFile{}
	for name, f := range m.durable {
		names[name] = f
	}
	for _, c := range m.pending[:random.IntN(len(m.pending)+1)] {
		switch {
		case c.to == "":
			delete(names, c.from)
		case c.from == "":
			names[c.to] = m.made(c.to)
		default:
			names[c.to] = names[c.from]
			delete(names, c.from)
		}
	}
	for name, f := range names {
		left := &memFile{data: f.torn(random)}
		left.synced = slices.Clone(left.data)
		after.names[name], after.durable[name] = left, left
	}
	return after
}

// made finds the file that was made under a name, wherever it is now.
func (m *memFS) made(name string) *memFile {
	if f := m.names[name]; f != nil {
		return f
	}
	for _, c := range m.pending {
		if c.from == name && m.names[c.to] != nil {
			return m.names[c.to]
		}
	}
	return &memFile{}
}

// torn is what a power loss leaves of a file: of what was not synced nothing, or the beginning, or all of it with
// sectors of zeros.
func (f *memFile) torn(random *rand.Rand) []byte {
	left := slices.Clone(f.synced)
	if len(f.data) <= len(f.synced) {
		if random.IntN(2) == 0 {
			return left // a Truncate may be lost
		}
		return slices.Clone(f.data)
	}
	tail := f.data[len(f.synced):]
	switch random.IntN(3) {
	case 0:
		return left
	case 1:
		return append(left, tail[:random.IntN(len(tail)+1)]...)
	}
	const sector = 64 // small, so that a group has many
	left = append(left, tail...)
	for at := len(f.synced); at < len(left); at += sector {
		if random.IntN(2) == 0 {
			clear(left[at:min(at+sector, len(left))])
		}
	}
	return left
}

func (m *memFS) MkdirAll(string) error { return nil }

func (m *memFS) ReadDir(dir string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

func (m *memFS) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.names[name]
	if f == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memHandle{fs: m, name: name, file: f}, nil
}

func (m *memFS) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("create " + filepath.Base(name)); err != nil {
		return nil, err
	}
	f := &memFile{}
	m.free(m.names[name], 0)
	m.names[name] = f
	m.pending = append(m.pending, nameChange{to: name})
	return &memHandle{fs: m, name: name, file: f}, nil
}

func (m *memFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("rename " + filepath.Base(from)); err != nil {
		return err
	}
	if m.names[from] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	m.free(m.names[to], 0)
	m.names[to] = m.names[from]
	delete(m.names, from)
	m.pending = append(m.pending, nameChange{from, to})
	return nil
}

// free gives back the room of what a file has beyond size bytes.
func (m *memFS) free(f *memFile, size int) {
	if f == nil || m.room < 0 {
		return
	}
	m.room += max(len(f.data)-size, 0) + f.taken
	f.taken = 0
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("remove " + filepath.Base(name)); err != nil {
		return err
	}
	m.free(m.names[name], 0)
	delete(m.names, name)
	m.pending = append(m.pending, nameChange{from: name})
	return nil
}

func (m *memFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.step("syncdir"); err != nil {
		return err
	}
	m.pending = nil
	m.durable = map[string]*memFile{}
	for name, f := range m.names {
		m.durable[name] = f
	}
	return nil
}

// Reserve makes a file that has room and no bytes.
func (m *memFS) Reserve(name string, size int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free(m.names[name], 0)
	delete(m.names, name)
	if err := m.step("reserve"); err != nil {
		return err
	}
	f := &memFile{}
	if m.room >= 0 {
		if int(size) > m.room {
			return errFull
		}
		m.room -= int(size)
		f.taken = int(size)
	}
	m.names[name] = f
	return nil
}

// refuseLock has no lock given, or again, if err is nil.
func (m *memFS) refuseLock(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.noLock = err
}

// memHeld is a file, or a folder, of which nothing but the name can go.
type memHeld struct {
	fs   *memFS
	name string
	file *memFile // nil: a folder
}

func (m *memFS) Hold(name string) (Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memHeld{m, name, m.names[name]}, nil
}

func (h *memHeld) Same() bool {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.file == nil {
		return true
	}
	return h.fs.names[h.name] == h.file
}

func (h *memHeld) Close() error { return nil }

func (m *memFS) Lock(name string) (Held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.noLock != nil {
		return nil, m.noLock
	}
	if m.locked[name] {
		return nil, fmt.Errorf("%w: %s", ErrLocked, name)
	}
	m.locked[name] = true
	return memLock{m, name}, nil
}

type memLock struct {
	fs   *memFS
	name string
}

func (l memLock) Same() bool {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	return l.fs.locked[l.name]
}

func (l memLock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	delete(l.fs.locked, l.name)
	return nil
}

// memHandle is an open file; it goes on with its file whatever becomes of the name.
type memHandle struct {
	fs     *memFS
	name   string
	file   *memFile
	offset int
}

func (h *memHandle) Read(b []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if h.offset == len(h.file.data) {
		return 0, io.EOF
	}
	n := copy(b, h.file.data[h.offset:])
	h.offset += n
	return n, nil
}

// Write writes half of b when it fails, as disks do.
func (h *memHandle) Write(b []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.step("write " + filepath.Base(h.name)); err != nil {
		h.file.data = append(h.file.data, b[:len(b)/2]...)
		return len(b) / 2, err
	}
	if h.fs.room >= 0 {
		if len(b) > h.fs.room {
			n := h.fs.room
			h.file.data = append(h.file.data, b[:n]...)
			h.fs.room = 0
			return n, errFull
		}
		h.fs.room -= len(b)
	}
	h.file.data = append(h.file.data, b...)
	return len(b), nil
}

func (h *memHandle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.step("truncate " + filepath.Base(h.name)); err != nil {
		return err
	}
	h.fs.free(h.file, int(size))
	h.file.data = h.file.data[:size:size]
	return nil
}

func (h *memHandle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.step("sync " + filepath.Base(h.name)); err != nil {
		return err
	}
	h.file.synced = slices.Clone(h.file.data)
	return nil
}

func (h *memHandle) Close() error { return nil }
