//go:build !race

package transaction

// raced is whether the race detector runs, which allocates for itself.
const raced = false
