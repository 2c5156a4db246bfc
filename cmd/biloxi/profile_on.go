//go:build profile

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiled runs the program and writes NAME.cpu and NAME.allocs, if $PROFILE is a NAME: make profile.
func profiled(run func() int) int {
	name := os.Getenv("PROFILE")
	if name == "" {
		return run()
	}
	runtime.MemProfileRate = 64 << 10
	cpu, err := os.Create(name + ".cpu")
	if err == nil {
		err = pprof.StartCPUProfile(cpu)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return exitFailed
	}
	code := run()
	pprof.StopCPUProfile()
	allocs, err := os.Create(name + ".allocs")
	if err == nil {
		err = pprof.Lookup("allocs").WriteTo(allocs, 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		return exitFailed
	}
	return code
}
