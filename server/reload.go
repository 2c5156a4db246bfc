package server

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"biloxi/config"
)

// Reload takes another configuration: domains, registrar, authentication, proxy, routes, name servers and TLS. All of it or,
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
	st, err := s.newState(cfg, old)
	if err != nil {
		return err
	}
	servers, hosts, err := nameServers(cfg.DNS)
	if err != nil {
		return err
	}
	if err := s.rememberDigests(old.config, cfg); err != nil {
		return fmt.Errorf("subscribers: %w", err)
	}
	if err := s.transport.SetTLS(tls); err != nil {
		return err
	}
	if !sameDNS(old.config.DNS, cfg.DNS) {
		if err := s.resolver.SetServers(servers, hosts); err != nil {
			return err
		}
	}
	s.state.Store(st)
	st.routing.reserved.learn(s.resolver)
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
	note(old.Proxy.MaxTransactions == cfg.Proxy.MaxTransactions, "max_transactions in [proxy]")
	if len(keys) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrRestart, strings.Join(keys, ", "))
}

// sameDNS reports whether two configurations ask the same.
func sameDNS(a, b config.DNS) bool {
	return slices.Equal(a.Servers, b.Servers) && maps.EqualFunc(a.Hosts, b.Hosts, slices.Equal[[]string])
}

// ErrRestart is what Reload gives for changes that it cannot make.
var ErrRestart = errors.New("nothing was reloaded: these need a restart")
