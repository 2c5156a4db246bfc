package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"biloxi/config"
	"biloxi/server"
	"biloxi/store/journal"
)

// begun is a data folder with a subscriber, which no server runs on.
func begun(t *testing.T) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	if code, _, errs := command(nil, "secret\n", "subscriber", "add", "bob@localhost", "--password-file", "-", "--data", data); code != exitDone {
		t.Fatal(errs)
	}
	return data
}

// TestServerThatStarts holds that nothing is changed beside a server that does not answer yet: it reads the
// subscribers once.
func TestServerThatStarts(t *testing.T) {
	data := begun(t)
	j, err := journal.Open(journal.Config{Dir: filepath.Join(data, server.LocationFolder)})
	if err != nil {
		t.Fatal(err)
	}
	remove := []string{"subscriber", "remove", "bob@localhost", "--data", data}
	if code, _, errs := command(nil, "", remove...); code != exitFailed || !strings.Contains(errs, "does not answer") {
		t.Errorf("beside a server: exit code %d, %s", code, errs)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(nil, "", remove...); code != exitDone {
		t.Errorf("without one: exit code %d, %s", code, errs)
	}
}

// TestFilesOfAnother holds that nothing is made beside the files of another user's server.
func TestFilesOfAnother(t *testing.T) {
	data := begun(t)
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(data, server.SubscriberFile), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Symlink("/", filepath.Join(data, server.LocationFolder)); err != nil {
		t.Fatal(err)
	}
	code, _, errs := command(nil, "", "location", "list", "--data", data)
	if code != exitFailed || !strings.Contains(errs, " belongs to user ") || !strings.Contains(errs, "sudo -u ") {
		t.Errorf("exit code %d, %s", code, errs)
	}
}

// TestLogDurations holds that JSON has durations with their unit.
func TestLogDurations(t *testing.T) {
	var out buffer
	var level slog.LevelVar
	newLogger(&out, config.Log{Format: config.LogAuto}, &level).Info("x", "took", 1500*time.Millisecond)
	if !strings.Contains(out.String(), `"took":"1.5s"`) {
		t.Error(&out)
	}
}
