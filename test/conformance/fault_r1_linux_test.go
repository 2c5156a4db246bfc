package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"biloxi/server"
	. "biloxi/siptest"
	"biloxi/test/bed"
)

// TestFaultR1: a server on a real disk that is full, which only root can mount.
func TestFaultR1(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("small", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", 6<<20)); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	t.Run("R1 a disk that is full", func(t *testing.T) {
		b := bed.Start(t, bed.Options{Data: mkdir(t, dir, "data")})
		p := newPhone(t, b)
		reserve := filepath.Join(b.Config.Data, server.LocationFolder, "location-reserve")
		for _, err := os.Stat(reserve); err != nil; _, err = os.Stat(reserve) {
			time.Sleep(20 * time.Millisecond)
		}
		p.Register(Contact("<sip:one@192.0.2.1>")).Expect(200)
		big := fillDisk(t, dir)
		awaitStatus(t, p, 503, "<sip:two@192.0.2.2>")
		p.Query().Expect(200)
		awaitStatus(t, p, 200, "<sip:two@192.0.2.2>") // with what was kept in reserve
		p.Bound("sip:one@192.0.2.1", "sip:two@192.0.2.2")
		b.Stop()
		os.Remove(reserve)
		os.Remove(big)
		big = fillDisk(t, dir)
		b.Restart()
		q := again(t, b, p)
		q.Bound("sip:one@192.0.2.1", "sip:two@192.0.2.2")
		q.Register(Contact("<sip:three@192.0.2.3>")).Expect(503).Want("Retry-After", "5")
		if err := os.Remove(big); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, q, 200, "<sip:three@192.0.2.3>")
		b.Restart()
		again(t, b, p).Bound("sip:one@192.0.2.1", "sip:two@192.0.2.2", "sip:three@192.0.2.3")
	})
}

func mkdir(t *testing.T, dir, name string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// fillDisk takes all the room, and returns the file that has it.
func fillDisk(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "big"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := 1 << 20; block > 0; {
		if _, err := f.Write(make([]byte, block)); err != nil {
			block /= 2
		}
	}
	return f.Name()
}

// awaitStatus refreshes until the answer is that one.
func awaitStatus(t *testing.T, p *Phone, status int, contact string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if p.Register(Contact(contact)).Expect(200, 503).Status() == status {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it is never %d", status)
		}
	}
}
