package journal

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"biloxi/location"
)

// TestCloseWhileFailing: a store that is closed while its disk fails ends, says so, and takes nothing later.
func TestCloseWhileFailing(t *testing.T) {
	for _, wait := range []time.Duration{0, retryEvery, retryEvery + time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemFS()
			j := mustOpen(t, Config{FS: m})
			must(t, set(j, "bob@h", 1))
			m.set(failing(errIO, "write"))
			if err := set(j, "bob@h", 2); !errors.Is(err, location.ErrUnavailable) {
				t.Error(err)
			}
			time.Sleep(wait)
			if err := j.Close(); !errors.Is(err, errIO) {
				t.Errorf("Close: %v", err)
			}
			m.set(nil)
			if err := set(j, "bob@h", 3); !errors.Is(err, location.ErrUnavailable) {
				t.Errorf("after Close: %v", err)
			}
			again := mustOpen(t, Config{FS: m})
			wantCSeq(t, again, "bob@h", 1)
		})
	}
}
