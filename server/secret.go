package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// loadSecret reads the key of flow tokens and proofs, or makes one if there is none.
func loadSecret(file string) (secret [32]byte, err error) {
	b, err := os.ReadFile(file)
	switch {
	case err == nil && len(b) == len(secret):
		copy(secret[:], b)
		return secret, nil
	case err == nil:
		return secret, fmt.Errorf("%s has %d bytes and not %d: remove it, and a new one is made; calls that are up then cannot be routed", file, len(b), len(secret))
	case !errors.Is(err, fs.ErrNotExist):
		return secret, fmt.Errorf("secret: %w", err)
	}
	if _, err := rand.Read(secret[:]); err != nil {
		return secret, err
	}
	if err := writeWhole(file, secret[:]); err != nil {
		return secret, &secretError{err}
	}
	return secret, nil
}

// secretError says that a secret was made and could not be kept.
type secretError struct{ error }

func (e *secretError) Error() string { return "secret: " + e.error.Error() }

func (e *secretError) Unwrap() error { return e.error }

// keepsNothing reports whether an error is that of a secret which a disk that is full, fails, or takes no writes did not
// keep: the server runs with it all the same.
func keepsNothing(err error) bool {
	var unkept *secretError
	if !errors.As(err, &unkept) {
		return false
	}
	for _, of := range [...]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}

// writeWhole writes a file that is there whole or not at all, whenever the machine stops.
func writeWhole(file string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // of no effect once it is renamed
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	return err
}
