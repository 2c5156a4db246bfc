//go:build !profile

package main

// profiled runs the program. Built with -tags profile it writes profiles too.
func profiled(run func() int) int { return run() }
