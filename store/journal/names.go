package journal

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	lockName        = "location.lock"
	prefix          = "location-"
	journalSuffix   = ".journal"
	snapshotSuffix  = ".snapshot"
	temporarySuffix = ".snapshot.tmp"
)

func journalName(dir string, generation uint64) string {
	return fullName(dir, generation, journalSuffix)
}

func snapshotName(dir string, generation uint64) string {
	return fullName(dir, generation, snapshotSuffix)
}

func temporaryName(dir string, generation uint64) string {
	return fullName(dir, generation, temporarySuffix)
}

// parseName returns the generation and the suffix of a file of ours; !ok if it is none.
func parseName(name string) (generation uint64, suffix string, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, "", false
	}
	number, suffix, _ := strings.Cut(rest, ".")
	suffix = "." + suffix
	generation, err := strconv.ParseUint(number, 10, 64)
	ok = err == nil && generation > 0 && (suffix == journalSuffix || suffix == snapshotSuffix || suffix == temporarySuffix)
	return generation, suffix, ok
}

func fullName(dir string, generation uint64, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%s%08d%s", prefix, generation, suffix))
}
