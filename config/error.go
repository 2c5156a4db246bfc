package config

import (
	"fmt"
	"strings"
)

// Error says what is wrong in a configuration, where, and what would be right.
type Error struct {
	File     string // as it was named to [Load] or [Parse]
	Line     int    // from 1; 0 if the error has no place in the file
	Column   int    // in bytes, from 1; 0 with no Line
	Variable string // the environment variable, if the value came from one
	Message  string
}

func (e *Error) Error() string {
	switch {
	case e.Variable != "":
		return e.Variable + ": " + e.Message
	case e.Line == 0:
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors is one or more errors of one configuration, in the order of the file.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors, for errors.As.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}
