package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/admin"
)

// TestControlSocketGone: a control socket that somebody has removed or replaced is made again, and nobody else's is taken away.
func TestControlSocketGone(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := serve(t, demoEnvironment, "--demo", "--data", data)
	name := filepath.Join(data, admin.SocketName)
	for what, remove := range map[string]func() error{
		"is removed":  func() error { return os.Remove(name) },
		"is replaced": func() error { return errors.Join(os.Remove(name), os.WriteFile(name, nil, 0o600), os.Remove(name)) },
		"is moved":    func() error { return os.Rename(name, name+".away") },
	} {
		t.Run("§3 the control socket "+what, func(t *testing.T) {
			if code, _, errs := command(nil, "", "status", "--data", data); code != exitDone {
				t.Fatalf("status: %s", errs)
			}
			if err := remove(); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
				if code, _, errs := command(nil, "", "status", "--data", data); code == exitDone {
					break
				} else if time.Now().After(end) {
					t.Fatalf("status: %s", errs)
				}
			}
			if !strings.Contains(s.log.String(), "control socket is made again") {
				t.Errorf("the log says\n%s", &s.log)
			}
		})
	}
	s.stop()
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}
