package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"biloxi/location"
	"biloxi/siptest"
)

// TestVersion1 reads a folder as the first release left it when it was killed: a snapshot and two journals, with
// bindings, and tombstones that hold the whole Contact.
func TestVersion1(t *testing.T) {
	t.Run("R2 a folder of the first version is read", func(t *testing.T) {
		dir := t.TempDir()
		must(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "version1"))))
		for range 2 { // as it was left, and as this version has left it
			j := mustOpen(t, Config{Dir: dir})
			wantCSeq(t, j, "bob@h", 1)
			wantCSeq(t, j, "eve@h", 4)
			wantCSeq(t, j, "dan@h", 6)
			for aor, want := range map[string]string{"bob@h": "1 -2 3", "eve@h": "4 -5", "dan@h": "6"} {
				if got := shown(t, j, aor); got != want {
					t.Errorf("%s has %s, want %s", aor, got, want)
				}
			}
			must(t, j.Close())
		}
	})
}

// shown is the CSeqs of an AOR's bindings; that of a tombstone has a sign.
func shown(t *testing.T, j *Journal, aor string) string {
	var all []string
	must(t, siptest.UpdateLocation(j, epoch, aor, func(r *location.Record) bool {
		for _, b := range r.Bindings {
			sign := ""
			if b.Removed {
				sign = "-"
				if len(b.Contact) < 200 || location.IsFingerprint(b.Contact) {
					t.Errorf("the tombstone has %q", b.Contact)
				}
			}
			all = append(all, sign+string(rune('0'+b.Writer.CSeq)))
		}
		return false
	}))
	return strings.Join(all, " ")
}
