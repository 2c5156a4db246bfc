package config

import (
	"bytes"
	"os"

	"github.com/pelletier/go-toml/v2"
)

// Load reads and checks the file at path, with the variables of environ ("NAME=value", as os.Environ
// gives them) in place of what it says.
func Load(path string, environ []string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	return Parse(path, b, environ)
}

// Parse is Load for a file of that name that has been read.
func Parse(name string, b []byte, environ []string) (Config, error) {
	cfg := Default()
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&cfg); err != nil {
		return Config{}, err
	}
	return cfg, nil
}
