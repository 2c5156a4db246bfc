package main

import (
	"runtime"
	"runtime/debug"
)

// version is stamped by the build: -ldflags "-X main.version=…".
var version string

// versionCmd is biloxi version.
type versionCmd struct {
	JSON bool `name:"json" help:"Write JSON."`
}

func (*versionCmd) Help() string {
	return `Examples:
  biloxi version
  biloxi version --json`
}

// Run prints the version of the program.
func (cmd *versionCmd) Run(c *console) error {
	if cmd.JSON {
		return c.printJSON(struct {
			Version string `json:"version"`
			Go      string `json:"go"`
			System  string `json:"system"`
		}{versionString(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	}
	c.printf("%s\n", versionLine())
	return nil
}

func versionLine() string { return "biloxi " + versionString() }

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
