package journal

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// FuzzRecord: a record that can be read is the one that its parts make, and no cut of it can be read.
func FuzzRecord(f *testing.F) {
	state := (&location.Record{Bindings: []location.Binding{siptest.LocationBinding(epoch, 1)}}).Append(nil)
	f.Add(appendState(nil, 7, []byte("bob@h"), state))
	f.Add(appendEnd(nil, 3))
	f.Add([]byte("bob@h"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// What is read is as it was written.
		r, ok := parse(appendState(nil, 9, b, state))
		if aor, got, sound := r.state(); !ok || !sound || r.seq != 9 || r.kind != stateKind || !bytes.Equal(aor, b) || !bytes.Equal(got, state) {
			t.Fatalf("an AOR of %q is read as %v %+v", b, ok, r)
		}
		// What can be read is written as it was.
		if r, ok = parse(b); !ok {
			return
		}
		again := append(begin(nil), r.payload...)
		end(again, 0, r.kind, r.seq)
		if !bytes.Equal(again, b[:len(again)]) {
			t.Fatalf("%x\nis written as %x", b, again)
		}
		if _, ok := parse(again[:len(again)-1]); ok {
			t.Fatal("a cut record can be read")
		}
	})
}

func parse(b []byte) (r record, ok bool) {
	if len(b) < recordHead {
		return r, false
	}
	n, ok := recordLength(b)
	if !ok || n > len(b) {
		return r, false
	}
	return parseRecord(b[:n])
}

// FuzzOpen: whatever is in a journal, Open refuses it as damaged, or goes on with a state that is the same after
// another start.
func FuzzOpen(f *testing.F) {
	m := newMemFS()
	j, err := Open(Config{FS: m, Now: func() time.Time { return epoch }})
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if err := set(j, "bob@h", i+1); err != nil {
			f.Fatal(err)
		}
	}
	j.Close()
	b := m.names["location-00000001.journal"].data
	f.Add(b)
	f.Add(b[:len(b)-markSize])
	f.Add(b[:len(b)-markSize-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMemFS()
		m.names["location-00000001.journal"] = &memFile{data: bytes.Clone(b)}
		first, ok := openListed(t, m)
		if !ok {
			return
		}
		second, ok := openListed(t, m)
		if !ok || !bytes.Equal(first, second) {
			t.Fatalf("%q at first, %q (%v) after another start", first, second, ok)
		}
	})
}

// openListed opens a folder and closes it again, and returns all that it holds.
func openListed(t *testing.T, m *memFS) (all []byte, ok bool) {
	j, err := Open(Config{FS: m, Now: func() time.Time { return epoch }})
	if errors.Is(err, ErrCorrupt) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	sum := 0
	j.List(epoch, "", 0, func(aor []byte, r *location.Record) {
		for _, c := range r.Append(bytes.Clone(aor)) {
			sum += int(c) // in no particular order
		}
		all = append(all, ' ')
	})
	return append(all, byte(sum), byte(sum>>8)), true
}
