package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"biloxi/admin"
	"biloxi/config"
	"biloxi/server"
)

// service is a server that runs, and what goes with it in this process.
type service struct {
	cmd     *serveCmd
	console *console
	level   slog.LevelVar
	log     *slog.Logger
	server  *server.Server
	control *http.Server // on the control socket
	notify  notifier
	limit   time.Duration // for draining
	reloads sync.Mutex    // one at a time, so that what was read last is in force last
	ended   chan struct{} // closed when it stops
}

// start starts everything or, with the error, nothing.
func (cmd *serveCmd) start(c *console, cfg config.Config) (_ *service, err error) {
	s := &service{cmd: cmd, console: c, notify: newNotifier(c), limit: time.Duration(cfg.Limits.ShutdownTimeout),
		ended: make(chan struct{})}
	s.log = newLogger(c.Err, cfg.Log, &s.level)
	if s.server, err = server.New(cfg, server.Options{Logger: s.log}); err != nil {
		return nil, err
	}
	socket, err := s.listen(cfg)
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.limit)
		defer cancel()
		return nil, errors.Join(err, s.server.Shutdown(ctx))
	}
	s.control = admin.NewServer(s.admin(), s.log)
	go s.keepControl(cfg.Data, socket) // until run shuts it down
	return s, nil
}

// listen opens the sockets for SIP and the control socket, and makes the demonstration's subscribers.
func (s *service) listen(cfg config.Config) (net.Listener, error) {
	if err := s.server.Listen(); err != nil {
		return nil, err
	}
	socket, err := admin.Listen(cfg.Data)
	if mayBeMended(err) {
		return nil, nil // keepControl tries again
	}
	if err != nil || !s.cmd.Demo {
		return socket, err
	}
	if err := welcome(s.console, s.cmd.Data, s.server, s.admin()); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return socket, nil
}

// run serves until a signal, or until the transport fails.
func (s *service) run() error {
	signals := s.console.Signals
	if signals == nil {
		all := make(chan os.Signal, 4)
		signal.Notify(all, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
		defer signal.Stop(all)
		signals = all
	}
	served := make(chan error, 1)
	go func() { served <- s.server.Serve() }()
	st := s.server.Status()
	s.log.Info("serving", "version", versionString(), "listeners", st.Listeners, "data", st.Config.Data, "subscribers", st.Subscribers, "bindings", st.Location.Bindings)
	s.notify.send("READY=1")
	go debug.FreeOSMemory() // what it took to read the stores; nobody waits for it
	var alive <-chan time.Time
	if every := s.notify.watchdog(); every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		alive = ticker.C
	}
	for {
		select {
		case <-alive:
			s.notify.send("WATCHDOG=1")
		case err := <-served:
			return errors.Join(err, s.stop(signals))
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				s.Reload() // it logs its error
				continue
			}
			s.log.Info("draining", "signal", sig.String(), "at_most", s.limit.String())
			err := s.stop(signals)
			return errors.Join(err, <-served)
		}
	}
}

// stop drains the server and ends the control socket; another signal ends the wait.
func (s *service) stop(signals <-chan os.Signal) error {
	s.notify.send("STOPPING=1")
	close(s.ended)
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	drained := make(chan error, 1)
	go func() {
		var calls sync.WaitGroup
		calls.Go(func() { s.server.Drain(ctx) })
		err := s.stopControl(ctx)
		calls.Wait()
		drained <- errors.Join(err, s.server.Shutdown(ctx))
	}()
	var alive <-chan time.Time
	if every := s.notify.watchdog(); every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		alive = ticker.C
	}
	for {
		select {
		case <-alive:
			s.notify.send("WATCHDOG=1")
		case err := <-drained:
			s.log.Info("stopped")
			return s.explainDrain(err)
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				cancel()
			}
		}
	}
}

// stopControl ends the control socket. An administrator who is slow, with a file to import say, leaves the phones their
// part of the time.
func (s *service) stopControl(ctx context.Context) error {
	half, done := context.WithTimeout(ctx, s.limit/2)
	defer done()
	err := s.control.Shutdown(half)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = s.control.Close()
	}
	return err
}

// explainDrain says why not all was drained, if that is so.
func (s *service) explainDrain(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("a second signal ended it before all was drained")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("not all was drained within %s (shutdown_timeout)", s.limit)
	}
	return err
}

// Reload implements admin.Server: it reads the configuration and certificates again, all or nothing.
func (s *service) Reload() error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	s.notify.reloading()
	defer s.notify.send("READY=1")
	err := s.reload()
	if err != nil {
		s.log.Error("not reloaded: everything stays as it was", "error", err)
	}
	return err
}

func (s *service) reload() error {
	if s.cmd.Demo {
		if _, err := prepareDemo(s.cmd.Data, time.Now()); err != nil {
			return err
		}
	}
	cfg, err := s.cmd.load(s.console)
	if err != nil {
		return err
	}
	if err := s.server.Reload(cfg); err != nil {
		return err
	}
	s.level.Set(slogLevel(cfg.Log.Level))
	return nil
}

// Status implements admin.Server.
func (s *service) Status() admin.Status {
	st := s.server.Status()
	out := admin.Status{
		Version:     versionString(),
		PID:         os.Getpid(),
		Started:     st.Started.UTC(),
		Data:        st.Config.Data,
		Listeners:   st.Listeners,
		Subscribers: st.Subscribers,
		AORs:        st.Location.AORs,
		Bindings:    st.Location.Bindings,
		Reachable:   s.server.Reachable(),
		Bytes:       st.Location.Bytes,
		Pending:     st.Location.Pending,
		Connections: map[string]uint64{},
		Transactions: admin.Transactions{Servers: st.Transactions.Servers, Clients: st.Transactions.Clients,
			Bytes: st.Transactions.Bytes},
		Lookups:  st.Resolver.Pending,
		Resting:  st.Resolver.Failed,
		Counters: []admin.Counter{{Name: "received", Value: st.Counters.Received}},
	}
	for _, d := range st.Config.Domains {
		out.Domains = append(out.Domains, d.Name)
	}
	add := func(name string, of map[string]uint64) {
		for reason, n := range of {
			out.Counters = append(out.Counters, admin.Counter{Name: name, Reason: reason, Value: n})
		}
	}
	add("answered", st.Counters.Answered)
	add("refused", st.Counters.Refused)
	add("forwarded", map[string]uint64{"": st.Counters.Forwarded})
	add("unanswered", map[string]uint64{"": st.Counters.Unanswered})
	add("lost ACKs", map[string]uint64{"": st.Counters.LostAcks})
	add("transactions", map[string]uint64{
		"created": st.Transactions.Created, "refused": st.Transactions.Refused, "absorbed": st.Transactions.Absorbed,
		"stray responses": st.Transactions.Strays, "requests sent again": st.Transactions.RequestsAgain,
		"responses sent again": st.Transactions.ResponsesAgain, "timeouts": st.Transactions.Timeouts,
		"transport errors": st.Transactions.TransportErrors,
	})
	add("dns", map[string]uint64{
		"look-ups": st.Resolver.Lookups, "that waited": st.Resolver.Waited, "queries": st.Resolver.Exchanges,
		"failures": st.Resolver.Failures, "refused": st.Resolver.Refused,
	})
	add("defence", map[string]uint64{
		"wrong passwords": st.Defence.Guesses, "names of nobody": st.Defence.Unknown, "delayed": st.Defence.Delayed,
		"refused": st.Defence.Refused, "records given up": st.Defence.Evicted, "records": uint64(st.Defence.Records),
	})
	slices.SortFunc(out.Counters[1:], func(a, b admin.Counter) int {
		return strings.Compare(a.Name+a.Reason, b.Name+b.Reason)
	})
	for _, n := range st.Transport {
		if n.Name == "connections" {
			out.Connections[strings.ToLower(n.Transport.String())] = n.Value
			continue
		}
		out.Counters = append(out.Counters, admin.Counter{
			Name: "transport " + n.Name, Transport: strings.ToLower(n.Transport.String()), Reason: n.Reason, Value: n.Value,
		})
	}
	return out
}

// admin is the administration of the server that runs.
func (s *service) admin() *admin.Direct {
	return &admin.Direct{
		Domains:     s.server.Domains,
		Subscribers: s.server.Subscribers(),
		Locations:   func() (admin.Locations, error) { return s.server.Location(), nil },
		Flows:       s.server.Flows(),
		Hash:        hashPassword,
		Server:      s,
		Watch:       s.server.Defence(),
		Now:         s.server.Now,
	}
}
