//go:build race

package digest

// The race detector has sync.Pool drop some of what is put back, so that a check allocates now and then.
const poolDrops = 1
