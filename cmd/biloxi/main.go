// Command biloxi is a SIP server and the tools that go with it.
//
// Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line. A subcommand is a field here and a file of its own, which has its struct, its
// Run(*console) error, and its Help() string with examples.
type cli struct {
	ShowVersion kong.VersionFlag `name:"version" help:"Show the version, as the command version does."`

	Serve      serveCmd      `cmd:"" group:"Server" help:"Run the server."`
	Config     configCmd     `cmd:"" group:"Server" help:"Check a configuration, or show all keys."`
	Status     statusCmd     `cmd:"" group:"Server" help:"Show how a running server does."`
	Reload     reloadCmd     `cmd:"" group:"Server" help:"Make a running server read its configuration and certificates again."`
	Version    versionCmd    `cmd:"" group:"Server" help:"Show the version."`
	Subscriber subscriberCmd `cmd:"" group:"Administration" help:"Add, change, remove, list and import subscribers."`
	Location   locationCmd   `cmd:"" group:"Administration" help:"List, show and remove what is registered."`
	Defence    defenceCmd    `cmd:"" group:"Administration" help:"List, allow, deny and forget those who guess passwords and names."`

	Register   registerCmd   `cmd:"" group:"Client" help:"Register contacts of an address of record."`
	Contacts   contactsCmd   `cmd:"" group:"Client" help:"Ask a server for the contacts of an address of record."`
	Unregister unregisterCmd `cmd:"" group:"Client" help:"Remove contacts of an address of record."`
	Options    optionsCmd    `cmd:"" group:"Client" help:"Ask a server or phone what it can do."`
	Call       callCmd       `cmd:"" group:"Client" help:"Call somebody, and show what comes of it."`
	Answer     answerCmd     `cmd:"" group:"Client" help:"Register, and answer calls."`
	Bench      benchCmd      `cmd:"" group:"Client" help:"Load a server, check its answers, and measure."`
}

// console is what a command talks to. Tests give it buffers.
type console struct {
	In       io.Reader
	Out, Err io.Writer
	Environ  []string // "NAME=value", as os.Environ gives them

	// Signals are told to a server that runs; nil: those of the process.
	Signals <-chan os.Signal
}

// env returns an environment variable, or nothing.
func (c *console) env(name string) string {
	for _, entry := range c.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// printf writes to standard output.
func (c *console) printf(format string, args ...any) { fmt.Fprintf(c.Out, format, args...) }

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is an error of the command line: exit code 2.
type usageError struct{ reason string }

func (e usageError) Error() string { return e.reason }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// errReported is returned by a command that has said on the console what failed: exit code 1, and no
// further word.
var errReported = errors.New("failed, as reported")

func main() {
	c := &console{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}
	os.Exit(profiled(func() int { return run(os.Args[1:], c) }))
}

// run is the whole program: it runs the command that args names and returns the exit code.
func run(args []string, c *console) int {
	exit := -1 // set when help was shown
	var commands cli
	parser, err := kong.New(&commands,
		kong.Name("biloxi"),
		kong.Description("A SIP server: registrar and location service, and the tools to run it."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Writers(c.Out, c.Err),
		kong.Exit(func(code int) { exit = code }),
		kong.Bind(c),
		kong.Vars{"version": versionLine()},
	)
	if err != nil {
		fmt.Fprintf(c.Err, "biloxi: %v\n", err)
		return exitFailed
	}
	if len(args) == 0 {
		parser.Parse([]string{"--help"}) // shows it, and has no error
		return exitUsage
	}
	ctx, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		var of *kong.ParseError
		if errors.As(err, &of) {
			ctx = of.Context
		}
		return c.fail(usageError{err.Error()}, commandOf(ctx))
	}
	return c.fail(ctx.Run(c), commandOf(ctx))
}

// commandOf is the command that was meant, as far as it was recognised: "biloxi subscriber add".
func commandOf(ctx *kong.Context) string {
	if ctx != nil {
		for _, p := range slices.Backward(ctx.Path) {
			if p.Command != nil {
				return p.Command.FullPath()
			}
		}
	}
	return "biloxi"
}

// fail reports err, if it is one, in one line, and returns the exit code that it stands for. Usage is
// shown by the command's help.
func (c *console) fail(err error, command string) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(c.Err, "biloxi: %v (see %s --help)\n", err, command)
		return exitUsage
	}
	fmt.Fprintf(c.Err, "biloxi: %v\n", err)
	return exitFailed
}
