package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"biloxi/config"
)

// Reload takes another configuration: domains, registrar, authentication and TLS. All of it or,
// with the error, nothing. A key that needs a restart and has changed is an error too.
func (s *Server) Reload(cfg config.Config) error {
	s.reload.Lock()
	defer s.reload.Unlock()
	old := s.state.Load()
	if err := needsRestart(old.config, cfg); err != nil {
		return err
	}
	tls, err := loadTLS(cfg.TLS)
	if err != nil {
		return err
	}
	if err := s.transport.SetTLS(tls); err != nil {
		return err
	}
	s.state.Store(s.newState(cfg, old))
	s.checkRealms(cfg)
	s.log.Info("configuration reloaded", "domains", len(cfg.Domains))
	return nil
}

// needsRestart names what cannot change while the server runs: what holds sockets and files.
func needsRestart(old, cfg config.Config) error {
	var keys []string
	note := func(same bool, key string) {
		if !same {
			keys = append(keys, key)
		}
	}
	note(old.Data == cfg.Data, "data")
	note(slices.Equal(old.Listeners, cfg.Listeners), "[[listen]]")
	note(old.Location == cfg.Location, "[location]")
	note(old.Limits == cfg.Limits, "[limits]")
	if len(keys) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrRestart, strings.Join(keys, ", "))
}

// ErrRestart is what Reload gives for changes that it cannot make.
var ErrRestart = errors.New("nothing was reloaded: these need a restart")
