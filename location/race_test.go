//go:build race

package location

// raced is whether the race detector runs: tests of scale are then made smaller, as it makes them ten times slower.
const raced = true
