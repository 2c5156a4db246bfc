package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Load reads and checks the file at path. See [Parse].
func Load(path string, environ []string) (Config, error) {
	b, err := readBounded(path, maxFile)
	if err != nil {
		return Config{}, err
	}
	return Parse(path, b, environ)
}

// Parse reads a configuration file of that name, and checks it. Its errors are [Errors].
//
// Variables of environ ("NAME=value", as os.Environ gives them) stand above the file: BILOXI_ and a
// key's path in capitals, such as BILOXI_DATA, BILOXI_REGISTRAR_MIN_EXPIRES or BILOXI_LISTEN_0_ADDRESS.
// Lists are written with commas, and the names of dns.hosts as name=address. With _FILE behind it, the
// variable names a file whose content is the value. An empty variable is none.
//
// Relative paths of the file are relative to its folder; those of the environment stay as they are.
func Parse(name string, b []byte, environ []string) (Config, error) {
	text := bytes.TrimPrefix(b, []byte("\ufeff")) // some editors begin files with a byte order mark
	return parse(source{name: name, text: text, environ: environ})
}

// FromEnvironment is the configuration of a server without a file: [Default] with the environment's
// variables.
func FromEnvironment(environ []string) (Config, error) {
	return parse(source{name: "configuration", environ: environ})
}

// source is a configuration that is being read.
type source struct {
	name    string
	text    []byte
	environ []string
	places  map[string]place
	errs    Errors
}

func parse(src source) (Config, error) {
	cfg, err := src.decode()
	if err != nil {
		return Config{}, err
	}
	src.override(&cfg)
	if len(src.errs) == 0 {
		complete(&cfg)
		src.resolvePaths(&cfg)
		src.validate(&cfg)
	}
	if len(src.errs) > 0 {
		slices.SortStableFunc(src.errs, func(a, b *Error) int {
			return (a.Line-b.Line)<<16 + a.Column - b.Column
		})
		return Config{}, src.errs
	}
	return cfg, nil
}

// decode reads the text: first as TOML of any kind, then its shape, then its values.
func (s *source) decode() (Config, error) {
	if err := toml.Unmarshal(s.text, &map[string]any{}); err != nil {
		return Config{}, s.decodeError(err)
	}
	shape := readShape(s.text)
	s.places = shape.places
	for _, e := range shape.errs {
		s.errs = append(s.errs, s.errorAt(e.offset, e.message))
	}
	if len(s.errs) > 0 {
		return Config{}, s.errs
	}
	cfg := Default()
	def := cfg
	cfg.Domains, cfg.Listeners = nil, nil
	d := toml.NewDecoder(bytes.NewReader(s.text))
	d.DisallowUnknownFields()
	if err := d.Decode(&cfg); err != nil {
		return Config{}, s.decodeError(err)
	}
	if cfg.Domains == nil {
		cfg.Domains = def.Domains
		cfg.Domains[0].Realm = "" // it follows the name, which the environment may change
	}
	if cfg.Listeners == nil {
		cfg.Listeners = def.Listeners
	}
	return cfg, nil
}

// decodeError says in our form what the decoder said in its own.
func (s *source) decodeError(err error) error {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return Errors{{File: s.name, Message: err.Error()}}
	}
	line, column := decode.Position()
	message := strings.TrimPrefix(decode.Error(), "toml: ")
	if key := decode.Key(); len(key) > 0 && !strings.Contains(message, key[len(key)-1]) {
		message = key[len(key)-1] + ": " + message
	}
	return Errors{{File: s.name, Line: line, Column: column, Message: message}}
}

// fail reports an error in the value at path.
func (s *source) fail(path, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	for at := path; at != ""; at = parent(at) {
		if p, ok := s.places[at]; ok {
			if p.variable != "" {
				s.errs = append(s.errs, &Error{File: s.name, Variable: p.variable, Message: message})
			} else {
				s.errs = append(s.errs, s.errorAt(p.offset, message))
			}
			return
		}
	}
	s.errs = append(s.errs, &Error{File: s.name, Message: message})
}

// where says in words where the value at path stands.
func (s *source) where(path string) string {
	for at := path; at != ""; at = parent(at) {
		if p, ok := s.places[at]; ok {
			if p.variable != "" {
				return p.variable
			}
			return fmt.Sprintf("line %d", s.errorAt(p.offset, "").Line)
		}
	}
	return "the defaults"
}

func (s *source) errorAt(offset int, message string) *Error {
	before := s.text[:offset]
	return &Error{
		File:    s.name,
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  offset - bytes.LastIndexByte(before, '\n'),
		Message: message,
	}
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}

// complete fills in what domains that say nothing get, and writes hosts in their one form.
func complete(cfg *Config) {
	for i := range cfg.Listeners {
		l := &cfg.Listeners[i]
		if canonical, reason := parseAdvertise(l.Advertise); reason == "" {
			l.Advertise = canonical
		}
	}
	for i := range cfg.Routes {
		cfg.Routes[i].Domain = canonicalHost(cfg.Routes[i].Domain)
	}
	cfg.DNS.complete()
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		if d.Name = canonicalHost(d.Name); d.Realm == "" {
			d.Realm = d.Name
		}
		for j := range d.Aliases {
			d.Aliases[j] = canonicalHost(d.Aliases[j])
		}
		if d.Algorithms == nil {
			d.Algorithms = slices.Clone(DefaultAlgorithms)
		}
		if d.Mode == "" {
			d.Mode = ModeProxy
		}
		if d.Callers == "" {
			d.Callers = CallersAnyone
		}
	}
}

// resolvePaths makes relative paths of the file relative to its folder.
func (s *source) resolvePaths(cfg *Config) {
	dir := filepath.Dir(s.name)
	resolve := func(path string, value *string) {
		p, ok := s.places[path]
		if ok && p.variable == "" && *value != "" && !filepath.IsAbs(*value) {
			*value = filepath.Join(dir, *value)
		}
	}
	resolve("data", &cfg.Data)
	resolve("tls.certificate", &cfg.TLS.Certificate)
	resolve("tls.key", &cfg.TLS.Key)
	resolve("tls.client_ca", &cfg.TLS.ClientCA)
	resolve("tls.ca", &cfg.TLS.CA)
	for i := range cfg.TLS.SNI {
		resolve(fmt.Sprintf("tls.sni.%d.certificate", i), &cfg.TLS.SNI[i].Certificate)
		resolve(fmt.Sprintf("tls.sni.%d.key", i), &cfg.TLS.SNI[i].Key)
	}
}

// readSecret returns a file's content without the newline at its end.
func readSecret(path string) (string, error) {
	b, err := readBounded(path, maxSecretFile)
	return strings.TrimRight(string(b), "\r\n"), err
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: larger than %s", path, Size(limit))
	}
	return b, err
}
