package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
	"biloxi/siptest"
)

// fill changes an AOR until the disk is full, and returns the last CSeq that was acknowledged.
func fill(t *testing.T, j *Journal, aor string) (last int) {
	t.Helper()
	for i := 1; i < 1_000_000; i++ {
		switch err := setFat(j, aor, i); {
		case err == nil:
			last = i
		case errors.Is(err, location.ErrUnavailable):
			return last
		default:
			t.Fatal(err)
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

// setFat gives the AOR one binding that is large, so that a disk is soon full.
func setFat(j *Journal, aor string, cseq int) error {
	return siptest.UpdateLocation(j, epoch, aor, func(r *location.Record) bool {
		b := siptest.LocationBinding(epoch, cseq)
		b.Writer.CSeq = uint32(cseq)
		b.Path = make([]byte, 50_000)
		r.Bindings = append(r.Bindings[:0], b)
		return true
	})
}

// TestFullDisk: a disk that the journal alone has filled is no end: the reserve is given up for a snapshot.
func TestFullDisk(t *testing.T) {
	t.Run("R1 what the journal has filled is freed without help", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			m.setRoom(4 << 20)
			j := mustOpen(t, Config{FS: m})
			must(t, set(j, "eve@h", 7))
			time.Sleep(2 * keepEvery) // until there is a reserve
			for range 3 {
				last := fill(t, j, "bob@h")
				wantCSeq(t, j, "bob@h", last)
				time.Sleep(2 * retryEvery)
				must(t, set(j, "bob@h", 1))
				time.Sleep(2 * reserveRetry) // until there is one again
			}
			must(t, j.Close())
			again := mustOpen(t, Config{FS: m})
			wantCSeq(t, again, "bob@h", 1)
			wantCSeq(t, again, "eve@h", 7)
		})
	})
	t.Run("R1 a reserve is as large as what is live", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			m.setRoom(24 << 20)
			j := mustOpen(t, Config{FS: m})
			for i := range 120 {
				must(t, setFat(j, fmt.Sprintf("user%d@h", i), i))
			}
			time.Sleep(2 * keepEvery)
			must(t, set(j, "bob@h", 3))
			fill(t, j, "bob@h")
			if n := m.taken(reserveName); n < 120*50_000 {
				t.Errorf("the reserve has %d bytes", n)
			}
			time.Sleep(2 * retryEvery)
			must(t, set(j, "bob@h", 4))
			if st := j.Stats(); st.AORs != 121 {
				t.Errorf("%+v", st)
			}
		})
	})
	t.Run("R1 without room for a reserve it says so", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			m.setRoom(20_000)
			logger, log := testLogger()
			mustOpen(t, Config{FS: m, Logger: logger})
			time.Sleep(10 * reserveRetry)
			if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "reserve") {
				t.Errorf("%d warnings: %s", n, log)
			}
		})
	})
}

// taken is the room that a file has beside its bytes.
func (m *memFS) taken(name string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.names[name]; f != nil {
		return f.taken
	}
	return 0
}

// TestStartOnBadDisk: what can be read is served where nothing can be written, and no more than that is promised.
func TestStartOnBadDisk(t *testing.T) {
	killed, _ := written(t)
	torn := copyFS(killed)
	torn.names[theLastJournal].data = torn.names[theLastJournal].data[:len(torn.names[theLastJournal].data)-5]
	readOnly := func(_ int, what string) error { return syscall.EROFS }
	for name, test := range map[string]struct {
		m    *memFS
		fail func(*memFS)
		aors int
	}{
		"is full":                  {killed, func(m *memFS) { m.setRoom(0) }, 9},
		"is full after a crash":    {torn, func(m *memFS) { m.setRoom(0) }, 8},
		"takes no writes":          {torn, func(m *memFS) { m.set(readOnly) }, 8},
		"has a quota":              {killed, func(m *memFS) { m.set(failing(syscall.EDQUOT, "write", "create")) }, 9},
		"fails to write":           {killed, func(m *memFS) { m.set(failing(errIO, "write")) }, 9},
		"fails to sync":            {torn, func(m *memFS) { m.set(failing(errIO, "sync")) }, 8},
		"fails to sync a folder":   {killed, func(m *memFS) { m.set(failing(errIO, "syncdir")) }, 9},
		"fails to rename":          {killed, func(m *memFS) { m.set(failing(errIO, "rename")) }, 9},
		"is full and empty":        {newMemFS(), func(m *memFS) { m.setRoom(0) }, 0},
		"takes no writes, no lock": {killed, func(m *memFS) { m.set(readOnly); m.refuseLock(syscall.EROFS) }, 9},
	} {
		t.Run("R1 it starts on a disk that "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := copyFS(test.m)
				test.fail(m)
				logger, log := testLogger()
				j := mustOpen(t, Config{FS: m, Logger: logger})
				for range 3 {
					if n := whole(t, j); n != test.aors {
						t.Errorf("%d AORs, want %d", n, test.aors)
					}
					if err := set(j, "new@h", 1); !errors.Is(err, location.ErrUnavailable) {
						t.Errorf("a change: %v", err)
					}
					durable, err := j.Update(epoch, []byte("user1@h"), siptest.LocationChange(func(*location.Record) bool { return false }), nil)
					if !durable || err != nil {
						t.Errorf("a query: %v, %v", durable, err)
					}
					time.Sleep(retryEvery)
				}
				if !strings.Contains(log.String(), "level=ERROR") {
					t.Errorf("the log says\n%s", log)
				}
				m.set(nil)
				m.setRoom(-1)
				m.refuseLock(nil)
				time.Sleep(2 * retryEvery)
				must(t, set(j, "new@h", 2))
				after := mustOpen(t, Config{FS: m.powerLoss(rand.New(rand.NewPCG(1, 1)))})
				wantCSeq(t, after, "new@h", 2)
				if n := whole(t, after); n != test.aors {
					t.Errorf("%d AORs after a power loss, want %d", n, test.aors)
				}
			})
		})
	}
	t.Run("R1 what is damaged is damaged on a full disk too", func(t *testing.T) {
		m := copyFS(killed)
		m.setRoom(0)
		m.names[theFirst].data[100] ^= 1
		refuses(t, m, theFirst)
	})
}

// TestSmallDisk does it on a real file system of two megabytes.
func TestSmallDisk(t *testing.T) {
	dir := mountSmall(t, 3<<20)
	t.Run("R1 a real disk that the journal has filled is freed", func(t *testing.T) {
		data := filepath.Join(dir, "location")
		j := mustOpen(t, Config{Dir: data})
		must(t, set(j, "eve@h", 7))
		for name := filepath.Join(data, reserveName); !exists(name); {
			time.Sleep(10 * time.Millisecond)
		}
		last := fill(t, j, "bob@h")
		wantCSeq(t, j, "bob@h", last)
		again(t, func() error { return set(j, "bob@h", last+1) })
		must(t, j.Close())
		j = mustOpen(t, Config{Dir: data})
		wantCSeq(t, j, "bob@h", last+1)
		wantCSeq(t, j, "eve@h", 7)
		must(t, j.Close())
	})
	t.Run("R1 it starts on a real disk that is full", func(t *testing.T) {
		data := filepath.Join(dir, "location")
		os.Remove(filepath.Join(data, reserveName)) // if there is one
		big := filepath.Join(dir, "big")
		f, err := os.Create(big)
		must(t, err)
		for block := 1 << 20; block > 0; {
			if _, err := f.Write(make([]byte, block)); err != nil {
				block /= 2
			}
		}
		f.Close()
		j := mustOpen(t, Config{Dir: data})
		wantCSeq(t, j, "eve@h", 7)
		if err := set(j, "eve@h", 8); !errors.Is(err, location.ErrUnavailable) {
			t.Errorf("a change: %v", err)
		}
		must(t, os.Remove(big))
		again(t, func() error { return set(j, "eve@h", 9) })
		must(t, j.Close())
	})
	t.Run("R1 it starts on a real disk that takes no writes", func(t *testing.T) {
		data := filepath.Join(dir, "location")
		remount := func(option string) {
			if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|map[string]uintptr{"ro": syscall.MS_RDONLY}[option], ""); err != nil {
				t.Skipf("remount: %v", err)
			}
		}
		remount("ro")
		j := mustOpen(t, Config{Dir: data})
		wantCSeq(t, j, "eve@h", 9)
		if err := set(j, "eve@h", 10); !errors.Is(err, location.ErrUnavailable) {
			t.Errorf("a change: %v", err)
		}
		remount("rw")
		again(t, func() error { return set(j, "eve@h", 11) })
		must(t, j.Close())
	})
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// again does what fails with a disk until it does not.
func again(t *testing.T, do func() error) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := do()
		if err == nil {
			return
		}
		if !errors.Is(err, location.ErrUnavailable) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// mountSmall mounts a file system of so many bytes in memory, which only root can.
func mountSmall(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("small", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			out, _ := exec.Command("umount", "-l", dir).CombinedOutput()
			t.Logf("unmount: %v %s", err, out)
		}
	})
	return dir
}
