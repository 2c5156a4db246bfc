package sip

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cut gives parse the input cut at every byte, and with every byte doubled: it must not panic.
func cut(input string, parse func(b []byte)) {
	for i := range len(input) {
		parse([]byte(input[:i]))
		parse([]byte(input[i:]))
		parse([]byte(input[:i] + input[i:i+1] + input[i:]))
	}
}

// offset is where a syntax error is, -1 if err is none, and -2 if it could not be the Reason-Phrase of a
// 400 (RFC 3261 §21.4.1, §25.1).
func offset(err error) int {
	e := (*SyntaxError)(nil)
	if !errors.As(err, &e) {
		return -1
	}
	for _, c := range []byte(err.Error()) {
		if c != ' ' && !is(c, classReserved|classAlpha|classDigit) && !strings.ContainsRune("-_.!~*'()", rune(c)) {
			return -2
		}
	}
	return e.Offset
}

// corpus gives the messages of the RFCs to a fuzz target.
func corpus(tb testing.TB, add func(b []byte)) {
	tb.Helper()
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no messages in testdata (%v)", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		add(b)
	}
	for _, b := range [][]byte{register, invite, ok200} {
		add(b)
	}
}

// corpusValues gives the values of a header field in the messages of the RFCs to a fuzz target.
func corpusValues(tb testing.TB, headers []Header, add func(b []byte)) {
	tb.Helper()
	corpus(tb, func(b []byte) {
		var m Message
		m.Parse(b)
		for i := range m.Len() {
			h, _, value := m.Field(i)
			for _, want := range headers {
				if h == want {
					add(value)
				}
			}
		}
	})
}
