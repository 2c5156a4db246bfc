//go:build race

package server

// The race detector has sync.Pool drop some of what is put back.
const raceEnabled = true
