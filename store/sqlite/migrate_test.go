package sqlite_test

import (
	"path/filepath"
	"testing"

	"biloxi/sip"
	"biloxi/siptest"
	"biloxi/store/sqlite"
)

// What was stored before there were digests for user@domain is there, has none, and gets some with a password.
func TestMigrate(t *testing.T) {
	t.Run("P8 a file of before", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "subscribers.db")
		if err := sqlite.MakeVersion1(path, "a.example", "bob"); err != nil {
			t.Fatal(err)
		}
		s := open(t, path)
		defer s.Close()
		old, err := s.Find(t.Context(), "bob", "a.example")
		if err != nil || old.HA1s.Has != 1<<sip.MD5 || old.AtDomain.Has != 0 || old.Created.UnixMilli() != 1 {
			t.Fatalf("%+v, %v", old, err)
		}
		put(t, s, siptest.NewSubscriber("bob", "a.example", 1<<sip.MD5|1<<sip.SHA256))
		now, err := s.Find(t.Context(), "bob", "a.example")
		if err != nil || now.AtDomain.Has != 1<<sip.MD5|1<<sip.SHA256 || !now.Created.Equal(old.Created) {
			t.Errorf("%+v, %v", now, err)
		}
	})
}
