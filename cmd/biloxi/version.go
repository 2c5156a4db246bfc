package main

import "runtime/debug"

// version is stamped by the build: -ldflags "-X main.version=…".
var version string

type versionCmd struct{}

// Run prints the version of the program.
func (versionCmd) Run(c *console) error {
	c.printf("biloxi %s\n", versionString())
	return nil
}

// versionString is the stamped version, or what the Go tool knows of the build.
func versionString() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
