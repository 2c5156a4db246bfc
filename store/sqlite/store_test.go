package sqlite_test

import (
	"path/filepath"
	"testing"

	"biloxi/siptest"
	"biloxi/store/sqlite"
	"biloxi/subscriber"
)

func TestStore(t *testing.T) {
	siptest.TestSubscriberStore(t, func(t *testing.T) subscriber.Store {
		return open(t, filepath.Join(t.TempDir(), "subscribers.db"))
	})
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
