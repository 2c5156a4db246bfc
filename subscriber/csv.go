package subscriber

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"biloxi/sip"
)

// CSV reads subscribers from a file of lines in one of two forms:
//
//	AOR,password
//	AOR,HA1-MD5,HA1-SHA-256[,HA1-SHA-512-256]
//
// Hashes are hex digits, and empty where there is none. A password with a comma or quote stands in quotes,
// as in any CSV (RFC 4180). A first line whose first field is "AOR" is a heading; if its second field begins
// with "HA1", what stands alone behind an AOR is its HA1-MD5, no password. Empty lines are passed over.
type CSV struct {
	// Domain returns the domain that a host stands for; !ok for one that is not served.
	Domain func(host string) (d Domain, ok bool)

	// Hash makes the hashes of a digest username and password, for the algorithms that are to be stored.
	Hash func(username, realm, password string) HA1s
}

// LineError is what is wrong with a line of a file. It never shows a password.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Read returns the subscribers of a file. A bad line gives a *LineError and is passed over; any other
// error is one of r and the last.
func (c CSV) Read(r io.Reader) iter.Seq2[Subscriber, error] {
	return func(yield func(Subscriber, error) bool) {
		lines := bufio.NewReaderSize(r, MaxLine)
		hashed := false
		for n := 1; ; n++ {
			line, err := readLine(lines)
			if err == io.EOF {
				return
			}
			if err != nil && !errors.Is(err, errLongLine) {
				yield(Subscriber{}, err)
				return
			}
			var s Subscriber
			if err == nil {
				var skip bool
				if n == 1 {
					line = bytes.TrimPrefix(line, []byte("\ufeff"))
					if skip, hashed = heading(line); skip {
						continue
					}
				}
				if skip, err = c.parse(&s, line, hashed); skip {
					continue
				}
			}
			if err != nil {
				s, err = Subscriber{}, &LineError{n, err}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// Good passes on what has no error, and calls bad for each LineError instead of passing it on.
func Good(seq iter.Seq2[Subscriber, error], bad func(*LineError)) iter.Seq2[Subscriber, error] {
	return func(yield func(Subscriber, error) bool) {
		for s, err := range seq {
			if line := (*LineError)(nil); errors.As(err, &line) {
				bad(line)
			} else if !yield(s, err) {
				return
			}
		}
	}
}

var errLongLine = fmt.Errorf("longer than %d bytes", MaxLine)

// readLine returns the next line without its end, valid until the next call. A line that is too long is
// read to its end all the same.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if err == nil || err == io.EOF {
			err = errLongLine
		}
		return nil, err
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), err
}

// heading reports whether a line is a heading, and says that hashes stand below it.
func heading(line []byte) (is, hashed bool) {
	fields, err := splitLine(string(line))
	if err != nil || !strings.EqualFold(strings.TrimSpace(fields[0]), "aor") {
		return false, false
	}
	return true, len(fields) > 1 && strings.HasPrefix(strings.ToUpper(strings.TrimSpace(fields[1])), "HA1")
}

// parse reads a line into s; skip for one that holds no subscriber. With hashed, a field alone behind the AOR
// is a hash.
func (c CSV) parse(s *Subscriber, line []byte, hashed bool) (skip bool, err error) {
	text := string(line)
	if strings.TrimSpace(text) == "" {
		return true, nil
	}
	fields, err := splitLine(text)
	if err != nil {
		return false, err
	}
	if s.User, s.Domain, err = ParseAOR(strings.TrimSpace(fields[0])); err != nil {
		return false, err
	}
	domain, ok := c.Domain(s.Domain)
	if !ok {
		return false, fmt.Errorf("domain %q is not served", s.Domain)
	}
	s.Domain, s.Realm = domain.Name, domain.Realm
	switch {
	case len(fields) == 1:
		return false, errors.New("no password behind the AOR")
	case len(fields) == 2 && !hashed:
		if fields[1] == "" {
			return false, errors.New("the password is empty")
		}
		s.HA1s = c.Hash(s.User, s.Realm, fields[1])
		s.AtDomain = c.Hash(AtDomain(s.User, s.Domain), s.Realm, fields[1])
	default:
		if err = s.HA1s.parse(fields[1:]); err != nil {
			return false, err
		}
	}
	return false, s.Validate()
}

// splitLine cuts a line at its commas, and gives a line with quotes to the CSV reader.
func splitLine(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	r := csv.NewReader(strings.NewReader(line))
	fields, err := r.Read()
	if err != nil {
		return nil, errors.New(`quotes that do not match: a field with a quote is written "…""…"`)
	}
	return fields, nil
}

// parse reads hashes in hex digits in the order of the algorithms.
func (h *HA1s) parse(fields []string) error {
	for i, field := range fields {
		a := sip.MD5 + sip.Algorithm(i)
		if a > sip.SHA512_256 {
			return errors.New("more than an AOR and three hashes")
		}
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		b, err := hex.DecodeString(field)
		if err != nil || len(b) != a.Size() {
			return fmt.Errorf("HA1-%v is not %d hex digits (a password with a comma must stand in quotes)", a, 2*a.Size())
		}
		h.Set(a, b)
	}
	if h.Has == 0 {
		return errors.New("neither a password nor a hash")
	}
	return nil
}
