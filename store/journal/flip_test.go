package journal

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestFlippedBits kills a process that writes, and flips one bit of what it leaves, anywhere, again and again: Open
// refuses, or all is there that was acknowledged, or the log warns that some may not be.
func TestFlippedBits(t *testing.T) {
	t.Run("R4 no bit is flipped in silence", func(t *testing.T) {
		rounds := 2
		if more, err := strconv.Atoi(os.Getenv("BILOXI_CRASHES")); err == nil {
			rounds = more
		}
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		dir := t.TempDir()
		acknowledged := map[string]int{}
		refused, warned, whole := 0, 0, 0
		for round := range rounds {
			killOne(t, dir, 1+round*1_000_000, 50+random.IntN(500), acknowledged)
			for range 20 {
				copied := filepath.Join(t.TempDir(), "location")
				must(t, os.CopyFS(copied, os.DirFS(dir)))
				where := flip(t, copied, random)
				logger, log := testLogger()
				j, err := Open(Config{Dir: copied, Logger: logger, Now: func() time.Time { return epoch }})
				if errors.Is(err, ErrCorrupt) {
					refused++
					continue
				}
				must(t, err)
				missing := 0
				for aor, want := range acknowledged {
					if cseq(j, aor) < want {
						missing++
					}
				}
				j.Close()
				if text := log.String(); strings.Contains(text, "level=WARN") {
					warned++
				} else if whole++; missing > 0 {
					t.Errorf("%s: %d AORs are not as they were acknowledged, and the log says\n%s", where, missing, text)
				}
			}
		}
		t.Logf("%d refused, %d with a warning, %d whole", refused, warned, whole)
	})
}

// flip flips one bit of a file of the folder: half of the time one of the last bytes.
func flip(t *testing.T, dir string, random *rand.Rand) (where string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, prefix+"*[0-9].*"))
	must(t, err)
	name := names[random.IntN(len(names))]
	b, err := os.ReadFile(name)
	must(t, err)
	if len(b) == 0 {
		return "nothing"
	}
	at := random.IntN(len(b))
	if random.IntN(2) == 0 {
		at = len(b) - 1 - random.IntN(min(len(b), 600))
	}
	b[at] ^= 1 << random.IntN(8)
	must(t, os.WriteFile(name, b, 0o600))
	return filepath.Base(name) + ", byte " + strconv.Itoa(at) + " of " + strconv.Itoa(len(b))
}
