package main

import (
	"errors"
	"fmt"

	"biloxi/config"
	"biloxi/server"
)

// configCmd is biloxi config.
type configCmd struct {
	Check     configCheckCmd     `cmd:"" help:"Check a configuration file."`
	Reference configReferenceCmd `cmd:"" help:"Print every key, with its meaning, unit and default."`
}

func (*configCmd) Help() string {
	return `Examples:
  biloxi config check /etc/biloxi/biloxi.toml
  biloxi config reference > biloxi.toml`
}

// configCheckCmd is biloxi config check.
type configCheckCmd struct {
	File string `arg:"" help:"Configuration file."`
	JSON bool   `name:"json" help:"Write JSON."`
}

func (*configCheckCmd) Help() string {
	return `Checks the file as a server would at its start, with the environment's BILOXI_ variables and the
certificates that it names, and changes nothing. Exit code 1 if anything is wrong.

Examples:
  biloxi config check /etc/biloxi/biloxi.toml
  biloxi config check --json biloxi.toml
  BILOXI_REGISTRAR_MIN_EXPIRES=2m biloxi config check biloxi.toml`
}

// problem is what config check --json says of an error.
type problem struct {
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	Variable string `json:"variable,omitempty"`
	Message  string `json:"message"`
}

func (cmd *configCheckCmd) Run(c *console) error {
	cfg, err := config.Load(cmd.File, c.Environ)
	if err == nil {
		err = server.CheckTLS(cfg.TLS)
	}
	if cmd.JSON {
		return cmd.reportJSON(c, err)
	}
	var errs config.Errors
	switch {
	case errors.As(err, &errs):
		fmt.Fprintln(c.Err, err) // each line names its place
		return errReported
	case err != nil:
		return err
	}
	c.printf("%s: good: %s, %s, data in %s\n", cmd.File, count(len(cfg.Domains), "domain"), count(len(cfg.Listeners), "listener"), cfg.Data)
	return nil
}

func (cmd *configCheckCmd) reportJSON(c *console, err error) error {
	problems := []problem{}
	var errs config.Errors
	if errors.As(err, &errs) {
		for _, e := range errs {
			problems = append(problems, problem{e.File, e.Line, e.Column, e.Variable, e.Message})
		}
	} else if err != nil {
		problems = append(problems, problem{Message: err.Error()})
	}
	out := struct {
		Good   bool      `json:"good"`
		Errors []problem `json:"errors"`
	}{err == nil, problems}
	if failed := c.printJSON(out); failed != nil {
		return failed
	}
	if err != nil {
		return errReported
	}
	return nil
}

// configReferenceCmd is biloxi config reference.
type configReferenceCmd struct {
	Markdown bool `help:"Write the page of the documentation."`
}

func (*configReferenceCmd) Help() string {
	return `The output is a configuration file with every key commented out: a place to start from.

Examples:
  biloxi config reference | less
  biloxi config reference > biloxi.toml`
}

func (cmd *configReferenceCmd) Run(c *console) error {
	text := config.Reference()
	if cmd.Markdown {
		text = config.Markdown()
	}
	_, err := c.Out.Write(text)
	return err
}
