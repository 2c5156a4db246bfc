package main

import (
	"fmt"
	"time"

	"biloxi/config"
)

// serveCmd is biloxi serve.
type serveCmd struct {
	Config string `placeholder:"FILE" xor:"how" help:"Configuration file. Default: $BILOXI_CONFIG; without one, the domain localhost on loopback."`
	Demo   bool   `xor:"how" help:"Run a demonstration on loopback: domain biloxi.example.com, subscribers alice and bob, UDP, TCP and TLS."`
	Data   string `placeholder:"DIR" help:"Data folder, above what the configuration says."`
}

func (*serveCmd) Help() string {
	return `SIGHUP reads the configuration and all certificates again: all of it or, with an error in the log,
nothing. SIGTERM and SIGINT finish what is under way and end; a second one ends at once.

Examples:
  biloxi serve --demo
  biloxi serve --config /etc/biloxi/biloxi.toml
  BILOXI_LOG_LEVEL=debug biloxi serve --config biloxi.toml --data /tmp/biloxi`
}

// Run runs a server until a signal ends it.
func (cmd *serveCmd) Run(c *console) error {
	if cmd.Config == "" && !cmd.Demo {
		cmd.Config = c.env("BILOXI_CONFIG")
	}
	if cmd.Demo {
		if cmd.Data == "" {
			cmd.Data = firstOf(c.env("BILOXI_DATA"), config.Default().Data)
		}
		var err error
		if cmd.Config, err = prepareDemo(cmd.Data, time.Now()); err != nil {
			return fmt.Errorf("demonstration: %w", err)
		}
	}
	cfg, err := cmd.load(c)
	if err != nil {
		return err
	}
	s, err := cmd.start(c, cfg)
	if err != nil {
		return err
	}
	return s.run()
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (cmd *serveCmd) load(c *console) (config.Config, error) {
	return loadConfig(c, cmd.Config, cmd.Data)
}
